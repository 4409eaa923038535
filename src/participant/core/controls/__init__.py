"""The controls that every order must pass at the gateway, by theme: pure checks, each on one Ask."""
