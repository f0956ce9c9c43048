"""Asks a transcription service in OpenAI's form for the words that are said in a clip."""
