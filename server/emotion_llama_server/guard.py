"""What vLLM's own JSON routes refuse here before they start."""

from fastapi import FastAPI, Request
from vllm.entrypoints.serve.utils.api_utils import validate_json_request
from vllm.exceptions import VLLMValidationError

_TEMPLATE_VARIABLES = {"prompt_style"}


async def check_json_request(raw_request: Request) -> None:
    """vLLM's own check of the content type, then ours of the body, which is parsed by now."""
    await validate_json_request(raw_request)
    body = await raw_request.json()
    if isinstance(body, dict):
        _check_template_variables(body.get("chat_template_kwargs"))


def _check_template_variables(variables: object) -> None:
    """Only what the chat template reads: others could reach its `bos_token` and the like."""
    if not isinstance(variables, dict):
        return  # absent, or of a type that vLLM's own validation refuses
    unknown = sorted(str(name) for name in variables.keys() - _TEMPLATE_VARIABLES)
    if unknown:
        raise VLLMValidationError(
            "chat_template_kwargs takes only 'prompt_style' ('eval' or 'demo'), "
            f"not {unknown[0]!r}.",
            parameter="chat_template_kwargs",
        )


def install(app: FastAPI) -> None:
    """Put the check where vLLM's JSON routes have theirs."""
    app.dependency_overrides[validate_json_request] = check_json_request
