/** The objects of `/v1/files` and `/v1/batches`, in OpenAI's shape. Times are in Unix seconds. */
export {};
