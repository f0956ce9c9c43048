/** Words of the header, the start and the result, in Chinese. */

/** @type {typeof import('../en/core.js').core} */
export const core = {
  tag: 'zh-CN',
  list_comma: '、',
  number_over: '超过 99%',
  number_under: '低于 1%',
  number_percent: ({ whole }) => `${whole}%`,
  time_seconds: ({ s }) => `${s} 秒`,
  label_translated: ({ label, translation }) => `${label}（${translation}）`,
  result_strong: ({ a, p }) => `模型明显倾向于“${a}”（${p}）。`,
  result_lean: ({ a, p, b, q }) => `模型倾向于“${a}”（${p}），其次是“${b}”（${q}）。`,
  result_unclear: ({ list }) => `没有明确的标签：${list}。`,

  nav_analyse: '分析',
  nav_live: '实时',
  nav_many: '批量',
  nav_settings: '设置',
  nav_help: '帮助',
};
