/** The bodies of API v1.0, `POST /v1/emotion` first, under the names that they have on the wire. */
export {};
