"""Virtual monitoring centres: they take streams, count them and play them back."""
