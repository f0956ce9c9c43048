"""`GET /v1/models`: what is served, in OpenAI's shape, and what it is and is not.

It replaces vLLM's own route, which also tells where the checkpoint lies on the server's disk.
"""

from fastapi import APIRouter, Request

from emotion_llama.schema import Model, ModelList

router = APIRouter(tags=["models"])


@router.get("/v1/models")
async def list_models(raw_request: Request) -> ModelList:
    """List the served models."""
    state = raw_request.app.state
    served = await state.openai_serving_models.show_available_models()
    description = state.emotion_llama_card.description
    return ModelList(
        data=[
            Model.model_validate({**model.model_dump(), "description": description})
            for model in served.data
        ]
    )
