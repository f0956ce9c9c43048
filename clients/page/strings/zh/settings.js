/** Words of the settings, in Chinese. */

/** @type {typeof import('../en/settings.js').settings} */
export const settings = {
  settings_lead: '设置保存在这台设备上；视频和结果不会保存。',
  settings_key: 'API 密钥',
  settings_key_hint: '供需要密钥的服务器使用。除非另行选择，只在此标签页内有效。',
  settings_key_has: '正在使用密钥。',
  settings_key_show: '显示',
  settings_key_forget: '忘记密钥',
  settings_key_forgotten: '已在所有标签页中忘记密钥。',
  settings_key_tab: '仅此标签页',
  settings_page: '页面',
  settings_language: '语言',
  settings_keys: '启用单键快捷键',
  settings_model: '向模型提问',
  settings_temperature: '温度',
  settings_temperature_hint: '为 0 时总是取概率最高的词，结果可以重复。',
  settings_tokens: '解释的词元上限',
  settings_seed: '随机种子',
  settings_seed_hint: '留空则每次不同。温度大于 0 时有效。',
  settings_at_once: '批量分析时同时进行的视频数',
  settings_device: '这台设备上的数据',
  settings_reset_colours: '重置标签的颜色',
  settings_reset_colours_done: '颜色已重新分配。',
  settings_delete: '删除保存在这里的全部内容',
  settings_delete_done: '已删除设置、颜色和密钥。',
  settings_saved: '已保存。',
};
