/** Words of the view of the server's jobs. */

/** @type {typeof import('../en/jobs.js').jobs} */
export const jobs = {
  nav_jobs: '服务器上的任务',
  jobs_lead: '这些批处理任务由服务器独自完成，可以关闭本页面。其他人的请求优先处理。',
  jobs_submit: '把一个文件夹提交为任务：',
  jobs_refresh: '刷新',
  jobs_empty: '还没有任务。',
  jobs_created: '创建时间',
  jobs_state: '状态',
  jobs_clips: '视频',
  jobs_note: '备注',
  jobs_actions: '操作',
  jobs_validating: '正在检查',
  jobs_failed: '失败',
  jobs_in_progress: '进行中',
  jobs_finalizing: '正在收尾',
  jobs_completed: '已完成',
  jobs_expired: '已过期',
  jobs_cancelling: '正在取消',
  jobs_cancelled: '已取消',
};
