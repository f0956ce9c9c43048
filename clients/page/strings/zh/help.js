/** Words of the help, in Chinese. */

/** @type {typeof import('../en/help.js').help} */
export const help = {
  help_means: '这意味着什么',
  help_made: '模型由什么训练而成',
  help_made_unknown: '服务器尚未说明。',
  help_reads: '模型读取什么',
  help_reads_1:
    '视频中的一帧画面和最长两分钟的声音；做时间线时，每个窗口各取一帧画面和该段声音。画面之间发生的事看不到。',
  help_reads_2:
    '比例是模型自己在给出的标签之间分配的概率，说明模型如何取舍，不是这个人有某种感受的可能性。',
  help_faces: '表情和声音不能说明什么',
  help_faces_1:
    '表情和声音并不能显示一个人的感受。人难过时也会微笑，专注时也会皱眉；同一个动作在不同情境和文化中含义不同（Barrett 等，2019）。',
  help_faces_2: '不要根据这些结果对任何人做决定，无论涉及工作、学业、信贷、健康还是责任。',
  help_law: '法律要点',
  help_law_1:
    '欧盟：《人工智能法》禁止推断员工、求职者和学生的情绪，医疗或安全目的除外（第 5 条第 1 款 f 项）。按照欧盟委员会的例子，呼叫中心监测客服人员属于禁止之列，监测来电者则不在此列。',
  help_law_2: '在允许使用情绪识别的场合，必须告知当事人（第 50 条第 3 款）。',
  help_law_3: '中国：《个人信息保护法》将人脸信息视为敏感个人信息，需要单独同意和必要的目的。',
  help_law_4: '以上内容不构成法律意见。',
  help_data: '你的视频去了哪里',
  help_data_1:
    '点击“分析”时发送到这台服务器，不会去往别处，也不会留在磁盘上；解码后的内容可能暂存在内存中，以便继续提问。',
  help_data_2:
    '浏览器只保存设置、标签的颜色，以及在你选择时保存 API 密钥；不保存视频、画面和结果。',
  help_keys: '快捷键',
  help_keys_send: '开始分析；在对话中发送问题',
  help_keys_cancel: '取消正在进行的操作；否则关闭',
  help_keys_help: '打开本帮助',
  help_keys_move: '前后移动一个窗口；按住 Shift 移动 0.1 秒',
  help_keys_far: '移动十个窗口；跳到两端',
  help_keys_play: '播放和暂停',
  help_keys_change: '上一次和下一次标签变化',
  help_keys_frame: '跳到模型看的那一帧',
  help_keys_loop: '循环播放当前窗口',
  help_keys_speed: '减速和加速',
  help_keys_zoom: '放大和缩小；也可用 Ctrl 加滚轮',
  help_keys_where: '从方向键开始的各键在播放器或时间线获得焦点时有效。',
  help_key: '按键',
  help_does: '作用',
  help_more: '供程序使用',
  help_api: '这台服务器的接口',
};
