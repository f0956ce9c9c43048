"""The server: vLLM's OpenAI server with Emotion-LLaMA's own routes beside it.

`cli` is the command and `start` the life of the server; `plugin` adds the routes to vLLM's app.
`gate` stands around every request, `routes` answer it, `chat` and `emotion` hold what the two kinds
of question need. `engine` is the only module that asks the model; `errors` decides how a failure
is told.
"""
