/** Words of the header, the start and the result. */

export const core = {
  nav_analyse: 'Analyse',
  nav_live: 'Live',
  nav_many: 'Many clips',
  nav_settings: 'Settings',
  nav_help: 'Help',
};
