"""Minutes as printable documents in the form of Decree 30/2020/NĐ-CP, Annex I."""
