"""Events told to other systems: signed, tried again from a table, replays refused."""
