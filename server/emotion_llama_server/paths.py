"""Declares the paths of the documented routes, and the sets of paths with a common rule."""

EMOTION = "/v1/emotion"
CHAT = "/v1/chat/completions"
MODELS = "/v1/models"
MCP = "/mcp"
FILES, BATCHES = "/v1/files", "/v1/batches"
FILE, FILE_CONTENT = f"{FILES}/{{file_id}}", f"{FILES}/{{file_id}}/content"
BATCH, BATCH_CANCEL = f"{BATCHES}/{{batch_id}}", f"{BATCHES}/{{batch_id}}/cancel"
MODEL = f"{MODELS}/{{model:path}}"

PREDICT, PREDICT_BARE = "/api/predict/", "/api/predict"
PROCESS_VIDEO = "/process_video"
LEGACY = (PREDICT, PREDICT_BARE, PROCESS_VIDEO)
"""The original's routes, whose errors have the shape that is documented for them."""

GRADIO_PREFIX = "/gradio_api"
"""The prefix under which Gradio 5 and later look for Gradio's routes."""
GRADIO_RUN = "/run/predict"
GRADIO_RUNS = (GRADIO_RUN, f"{GRADIO_PREFIX}{GRADIO_RUN}")
"""The routes whose clients show only the field `error`."""

HEALTH, LIVEZ, READYZ, PING = "/health", "/livez", "/readyz", "/ping"
METRICS, VERSION = "/metrics", "/version"

HOME = "/"
LLMS = "/llms.txt"
_PAGE_FILES = "/page/"
PAGE_FILE = f"{_PAGE_FILES}{{file:path}}"
DOCS, DOCUMENT = "/docs", "/openapi.json"
DOCS_START = "/docs/start.js"
SWAGGER_SCRIPT, SWAGGER_STYLE = "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"
PAGES = frozenset(
    {HOME, PAGE_FILE, LLMS, DOCS, DOCUMENT, DOCS_START, SWAGGER_SCRIPT, SWAGGER_STYLE}
)
"""The routes that a browser loads to show the pages, and the page for agents."""

OPEN = PAGES | {HEALTH, LIVEZ, READYZ}
"""The routes that answer without a key."""

READ_ONLY = OPEN | {METRICS, VERSION, PING, MODELS, MODEL}
"""The routes that answer only GET and HEAD, even if vLLM answers other methods."""

WORK = (CHAT, EMOTION, MCP, *LEGACY)
"""The documented routes that ask the model."""

DOCUMENTED = READ_ONLY | {*WORK}
"""The routes that answer although no operator names them."""

OTHER = "other"


def is_open(path: str) -> bool:
    """Return whether a path answers without a key, and only reading methods."""
    return path in OPEN or path.startswith(_PAGE_FILES)


def label(path: str) -> str:
    """Return the name of a path's route in metrics and traces, one of a fixed set."""
    if path in DOCUMENTED:
        return path
    if path.startswith(f"{MODELS}/"):
        return MODEL
    if path.startswith(_PAGE_FILES):
        return PAGE_FILE
    for kept in (FILES, BATCHES):
        if path == kept or path.startswith(f"{kept}/"):
            return kept
    is_gradio = path in GRADIO_RUNS or path.startswith(f"{GRADIO_PREFIX}/")
    return GRADIO_PREFIX if is_gradio else OTHER
