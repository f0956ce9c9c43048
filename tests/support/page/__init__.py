"""Opens the page in a browser, and answers it."""
