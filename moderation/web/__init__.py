"""The reviewer's console: pages of the server, in the same process as the API."""
