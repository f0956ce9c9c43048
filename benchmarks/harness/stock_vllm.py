"""Runs vLLM's own server with none of our parts except the CPU defaults: the upper limit.

    python -m benchmarks.harness.stock_vllm --model DIR ...

It takes the flags of `vllm serve`.
"""

import os
from argparse import Namespace
from typing import cast

from emotion_llama_vllm.hooks.cpu_defaults import engine_defaults
from emotion_llama_vllm.hooks.vllm_environment import compile_nothing, set_environment


def main() -> None:
    """Run the server until it is ended."""
    set_environment()
    os.environ["VLLM_PLUGINS"] = ""
    compile_nothing()

    import uvloop
    from vllm.entrypoints.launchers.api_server.entry import run_server
    from vllm.entrypoints.launchers.cli_args import make_arg_parser
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    parser = make_arg_parser(FlexibleArgumentParser())
    args = cast(Namespace, parser.parse_args())
    for name, value in engine_defaults(args.model, vars(args)).items():
        setattr(args, name, value)
    uvloop.run(run_server(args))


if __name__ == "__main__":
    main()
