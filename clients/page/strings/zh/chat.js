/** Words of the chat about a clip. */

/** @type {typeof import('../en/chat.js').chat} */
export const chat = {
  chat_title: '就这段视频聊天',
  chat_too_large: ({ size, most }) =>
    `聊天的每个问题都会附带视频，最大 ${most} MB。这段视频有 ${size} MB。`,
  chat_sends: '每个问题都会附带这段视频。',
  chat_log: '问题与回答',
  chat_you: '你',
  chat_model: '模型',
  chat_waiting: '模型正在读取视频……',
  chat_question: '问题',
  chat_placeholder: '可以询问表情、语气或话语',
  chat_send: '发送',
  chat_stop: '停止',
  chat_new: '新对话',
  chat_suggestions: '建议的问题',
  chat_stopped: '已停止。',
  chat_cut: '回答达到最大词元数而被截断（见“设置”）。',
  chat_too_long: '这段对话超过了模型能读取的长度。',
  chat_asked: '问题已发送。',
  chat_answered: '模型已回答。',
  chat_why: '视频中的人物表达了什么情绪？请说明理由。',
  chat_face: '请描述视频中人物的面部表情。',
  chat_voice: '请分析视频中说话人的声音。',
};
