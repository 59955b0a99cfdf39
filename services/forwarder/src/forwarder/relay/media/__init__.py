"""The camera's media on its way: the fan-out, the GOP cache, where keyframes begin. Nothing here waits."""
