"""The camera's media: the fan-out, the GOP cache, the keyframe tap. Nothing here waits."""
