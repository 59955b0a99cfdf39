"""Which proof each centre demands, and what is counted by it: of reports by rule 4."""

from collections.abc import Iterator

from reporting.documents.letter.blocks import Block, Text
from reporting.documents.letter.figures import rows_of, word
from reporting.domain.evidence.proven import VERIFIED
from reporting.reports.snapshot.report import Report


def proofs(report: Report) -> Iterator[Block]:
    """A sentence for each of the two proofs that some centre demands."""
    if not report.by_read_backs:
        return
    names: dict[bool, set[str]] = {True: set(), False: set()}
    for row in rows_of(report, "deliveries"):
        centre = word(row, "destination_name") or word(row, "destination_code")
        names[word(row, "required_proof") == VERIFIED].add(centre)
    if names[True]:
        yield Text(
            f"Mức xác nhận 'đã kiểm chứng': {', '.join(sorted(names[True]))}. Thời gian kết nối là thời gian giữa hai "
            "lần đọc lại từ trung tâm đều khớp hình của camera trong cùng một phiên; sau lần khớp cuối cùng là không "
            "rõ; từ lúc bắt đầu lần đọc lại không được hoặc khác hình là mất kết nối, cho đến hình khớp đầu tiên sau "
            "đó."
        )
    if names[False]:
        yield Text(
            f"Mức xác nhận 'đã xác nhận': {', '.join(sorted(names[False]))}. Thời gian kết nối là thời gian trung tâm "
            "xác nhận nhận được dữ liệu, trừ thời gian đọc lại thấy hình khác."
        )
