"""Official documents of Vietnam in the layout of Decree 30/2020/NĐ-CP, Annex I: measures, and pages for Word.

The same content gives the same bytes, on another day and machine. `letter_page` and `word_page` need the extra `decree`
(python-docx), `pdf` needs typst: this package loads neither, since naming a person or a day draws no page.
"""
