/** Words of the header, the start and the result, in Chinese. */

export const core = {
  nav_analyse: '分析',
  nav_live: '实时',
  nav_many: '批量',
  nav_settings: '设置',
  nav_help: '帮助',
};
