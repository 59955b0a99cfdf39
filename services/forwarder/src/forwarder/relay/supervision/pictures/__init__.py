"""What a camera that is supervised shows: its keyframes, watched and copied."""
