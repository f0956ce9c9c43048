"""A user's script asks a decode worker what it has loaded, and prints it as JSON."""

import asyncio
import json

from emotion_llama_vllm.media.clip_file import ClipFile
from emotion_llama_vllm.media.workers.pool import Workers
from emotion_llama_vllm.settings import MediaSettings
from tests.support.scripts import jobs


async def main() -> None:
    workers = Workers(MediaSettings(decode_workers=1), 64)
    with ClipFile.in_memory(b"x") as clip:
        print(json.dumps(await workers.run(jobs.list_modules, clip)))
    await asyncio.to_thread(workers.stop)


if __name__ == "__main__":
    asyncio.run(main())
