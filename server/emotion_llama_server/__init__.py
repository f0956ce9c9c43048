"""Holds the server: vLLM's OpenAI server with Emotion-LLaMA's own routes beside it.

`cli` is the command and `start` the life of the server; `plugin` adds the routes to vLLM's app.
`gate` stands around every request, and `routes` answer it. `chat` and `emotion` hold the code for
the two kinds of request. `engine` is the only module that calls the model; `errors` builds every
error response.
"""
