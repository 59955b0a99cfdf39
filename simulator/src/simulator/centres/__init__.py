"""Virtual monitoring centres: receive streams, count them and play them back."""
