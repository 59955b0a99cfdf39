"""The sentences about mistakes, English and Vietnamese side by side: what is wrong, and what would be right."""

from typing import NamedTuple, NoReturn


class Text(NamedTuple):
    """One sentence in two languages."""

    english: str
    vietnamese: str


class RefusalError(ValueError):
    """A cell or row that is not taken; `text` says why and what would be right."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.english)
        self.text = text


def phrase(key: str, /, **values: object) -> Text:
    """Format the sentence `key` with `values`. Raises KeyError for an unknown key or a missing value."""
    english, vietnamese = SENTENCES[key]
    return Text(english.format(**values), vietnamese.format(**values))


def refuse(key: str, /, **values: object) -> NoReturn:
    """Raise RefusalError with the sentence `key`."""
    raise RefusalError(phrase(key, **values)) from None


SENTENCES: dict[str, tuple[str, str]] = {
    # The file.
    "empty_file": ("the file is empty: send a file with headings and rows",
                   "tệp trống: hãy gửi tệp có dòng tiêu đề và các dòng dữ liệu"),
    "not_utf8": ("is not UTF-8: in Excel save it as 'CSV UTF-8 (Comma delimited)' or as .xlsx",
                 "không phải UTF-8: trong Excel hãy lưu dạng 'CSV UTF-8 (Comma delimited)' hoặc .xlsx"),
    "utf16_without_bom": ("is UTF-16 without a byte order mark: save it as 'CSV UTF-8' or 'Unicode text'",
                          "là UTF-16 không có BOM: hãy lưu dạng 'CSV UTF-8' hoặc 'Unicode Text'"),
    "old_excel": ("is a workbook of Excel 97-2003 (.xls) or has a password: save it as .xlsx without password",
                  "là sổ tính Excel 97-2003 (.xls) hoặc có mật khẩu: hãy lưu dạng .xlsx, không đặt mật khẩu"),
    "not_table": ("is neither CSV nor XLSX: send one of them", "không phải CSV cũng không phải XLSX: hãy gửi một trong hai"),
    "damaged_workbook": ("cannot be read as a workbook: open it in a spreadsheet and save it again as .xlsx",
                         "không đọc được như sổ tính: hãy mở bằng Excel hoặc LibreOffice rồi lưu lại dạng .xlsx"),
    "unreadable_workbook": ("takes more memory or time to read than a register file does: copy its rows into the template",
                            "tốn quá nhiều bộ nhớ hoặc thời gian để đọc: hãy chép các dòng sang tệp mẫu"),
    "zip_bomb": ("unpacks to far more than a register file holds ({found}; at most {most}): refused without reading",
                 "giải nén ra lớn bất thường ({found}; nhiều nhất {most}): bị từ chối trước khi đọc"),
    "xml_entities": ("holds a document type or entities ({part}): save it again in Excel or LibreOffice",
                     "chứa khai báo DOCTYPE hoặc thực thể XML ({part}): hãy lưu lại bằng Excel hoặc LibreOffice"),
    "far_cell": ("has cells beyond row {rows} or column {columns}: clear them, or split the file",
                 "có ô nằm ngoài {rows} dòng hoặc {columns} cột: hãy xóa các ô đó hoặc chia nhỏ tệp"),
    "macros": ("holds macros: save it as .xlsx", "có chứa macro: hãy lưu dạng .xlsx"),
    "quotes": ("cannot be parsed from here on: check the quotation marks; a quote inside a cell is written twice",
               "không đọc được từ đây trở đi: kiểm tra dấu ngoặc kép; ngoặc kép trong ô phải viết hai lần"),
    "no_rows": ("has headings but no rows: add a row for each thing", "có tiêu đề nhưng không có dòng dữ liệu: hãy thêm các dòng"),
    "no_sheet": ("has no sheet for {noun}: name one of its sheets {sheet}",
                 "không có trang tính cho {noun_vi}: hãy đặt tên một trang là {sheet}"),
    "too_many_rows": ("has more than {most} rows: split the file", "có hơn {most} dòng: hãy chia nhỏ tệp"),
    # Rights.
    "needs_add": ("adds {key}: needs the right '{right}'", "thêm {key}: cần quyền '{right}'"),
    "needs_change": ("changes {key}: needs the right '{right}'", "sửa {key}: cần quyền '{right}'"),
    "needs_decide": ("takes {key} out of what is counted: needs the right '{right}' of the province lead, or of who is named "
                     "for it; ask for it with POST /v1/decision-requests, act 'switching_off'",
                     "cho {key} ra khỏi phần thống kê: cần quyền '{right}' của đơn vị chủ trì hoặc người được giao; hãy gửi "
                     "đề nghị bằng POST /v1/decision-requests, act 'switching_off'"),
    "needs_remove_delivery": ("removes a delivery of {key}, as the destination is not named: needs the right '{right}'",
                              "bỏ một luồng chuyển của {key} vì không nêu trung tâm nhận: cần quyền '{right}'"),
    "needs_add_delivery": ("adds a delivery of {key}: needs the right '{right}'",
                           "thêm một luồng chuyển của {key}: cần quyền '{right}'"),
    "needs_add_person": ("adds the focal point of {key}: needs the right '{right}'",
                         "thêm cán bộ đầu mối của {key}: cần quyền '{right}'"),
    "needs_change_person": ("changes the focal point of {key}: needs the right '{right}'",
                            "sửa cán bộ đầu mối của {key}: cần quyền '{right}'"),
    # Headings.
    "too_many_columns": ("has {found} columns with a heading, and a file has {most} at most: clear what is not needed",
                         "có {found} cột có tiêu đề, nhiều nhất là {most}: hãy xóa các cột không cần"),
    "twice_heading": ("is in the headings twice: keep one of the two columns",
                      "có hai lần trong dòng tiêu đề: chỉ giữ một cột"),
    "unknown_heading": ("is no column of this file{near}; there are: {known}",
                        "không phải cột của tệp này{near_vi}; các cột: {known_vi}"),
    "unnamed_column": ("column {number} has cells but no heading: give it one, or clear the column",
                       "cột {number} có dữ liệu nhưng không có tiêu đề: hãy đặt tiêu đề hoặc xóa cột"),
    "missing_heading": ("is missing in the headings; needed are: {needed}",
                        "thiếu trong dòng tiêu đề; các cột bắt buộc: {needed_vi}"),
    "extra_cells": ("has {found} cells, the headings {wanted}: quote a cell that holds the separator",
                    "có {found} ô nhưng tiêu đề chỉ có {wanted}: đặt ô chứa dấu phân cách trong ngoặc kép"),
    # Cells.
    "empty": ("is empty: give {what}", "để trống: hãy điền {what_vi}"),
    "legacy_tcvn3": ("is TCVN3 (ABC, .VnTime) text: convert it to Unicode, e.g. with UniKey Toolkit, and try again",
                     "là chữ TCVN3 (ABC, .VnTime): hãy chuyển sang Unicode, ví dụ bằng UniKey Toolkit, rồi gửi lại"),
    "legacy_vni": ("is VNI text: convert it to Unicode, e.g. with UniKey Toolkit, and try again",
                   "là chữ VNI: hãy chuyển sang Unicode, ví dụ bằng UniKey Toolkit, rồi gửi lại"),
    "damaged_text": ("holds signs of damaged text: type it again in Unicode", "có ký tự hỏng: hãy gõ lại bằng Unicode"),
    "control": ("holds a control character: remove it", "chứa ký tự điều khiển: hãy xóa"),
    "invisible": ("holds an invisible character ({sign}): remove it, or type the text again",
                  "chứa ký tự vô hình ({sign}): hãy xóa hoặc gõ lại"),
    "no_number": ("is no number: write e.g. 16,8163 or 16.8163", "không phải số: viết ví dụ 16,8163 hoặc 16.8163"),
    "no_whole": ("is no whole number: write digits only, e.g. 1200", "không phải số nguyên: chỉ viết chữ số, ví dụ 1200"),
    "no_date": ("is no date: write dd/mm/yyyy, e.g. 07/05/2021, or 2021-05-07",
                "không phải ngày: viết ngày/tháng/năm, ví dụ 07/05/2021, hoặc 2021-05-07"),
    "month_first": ("has no month {month}: write the day first, {right}", "không có tháng {month}: viết ngày trước, {right}"),
    "short_year": ("has a year of two digits: write four, e.g. 07/05/2021", "năm chỉ có hai chữ số: viết đủ bốn, ví dụ 07/05/2021"),
    "has_time": ("is a date with a time: write the date only", "là ngày kèm giờ: chỉ viết ngày"),
    "no_instant": ("is no date with a time: write 07/05/2021 14:30 or 2021-05-07T14:30+07:00",
                   "không phải ngày giờ: viết 07/05/2021 14:30 hoặc 2021-05-07T14:30+07:00"),
    "no_yes_no": ("is neither yes nor no: write có or không", "không phải có/không: viết có hoặc không"),
    "no_choice": ("is none of: {allowed}", "không thuộc danh sách: {allowed_vi}"),
    "number_for_text": ("is a number, and a spreadsheet drops the leading zeros of a number: format the column as Text "
                        "and type {what} again", "là ô kiểu số, bảng tính sẽ làm mất số 0 ở đầu: định dạng cột là Văn bản (Text) rồi gõ lại {what_vi}"),
    "name_twice": ("has {name} twice in one record: give it once", "có {name} hai lần trong một bản ghi: chỉ ghi một lần"),
    "formula_error": ("is a formula's error, or a formula that nobody has calculated: type the value",
                      "là lỗi công thức, hoặc công thức chưa được tính: hãy gõ giá trị"),
    "remade": ("is a date or TRUE/FALSE that a spreadsheet has made of what was typed: format the column as Text and type it again",
               "là ngày hoặc TRUE/FALSE do bảng tính tự đổi: định dạng cột là Văn bản (Text) rồi gõ lại"),
    "digits_lost": ("has lost digits, of which a spreadsheet keeps fifteen and shows fewer (1.23E+11): format the column as Text and "
                    "type it again", "đã mất chữ số, vì bảng tính chỉ giữ mười lăm và có khi hiện ít hơn (1.23E+11): định dạng cột là Văn bản (Text) rồi gõ lại"),
    "lost_zero_phone": ("has no leading 0, a spreadsheet may have dropped it: write 0{value}, in a column of type Text",
                        "thiếu số 0 ở đầu, có thể do bảng tính làm mất: viết 0{value}, định dạng cột là Văn bản (Text)"),
    "lost_zero_code": ("is not on record but {there} is: a spreadsheet may have dropped the leading zero; write {there}",
                       "chưa có nhưng đã có {there}: có thể bảng tính làm mất số 0 ở đầu; hãy viết {there}"),
    "like_another": ("differs only in case or leading zeros from {other} {where}: use one spelling",
                     "chỉ khác {other} {where_vi} ở chữ hoa/thường hoặc số 0 ở đầu: dùng một cách viết"),
    "twice": ("{value} is in line {line} already: keep one of the two rows", "{value} đã có ở dòng {line}: chỉ giữ một dòng"),
    "circle": ("{value} refers to itself through other rows of the file: correct one of the references",
               "{value} quay lại chính nó qua các dòng khác của tệp: hãy sửa một trong các mã tham chiếu"),
    "needs_pair": ("is given without {other}: give both or none", "có mà thiếu {other_vi}: điền cả hai hoặc để trống cả hai"),
    "not_on_record": ("{value} is not on record; there are: {there}", "chưa có {value} trong sổ; hiện có: {there_vi}"),
    "hidden_secret": ("was hidden in the file with the mistakes: type it again, or clear it to keep the one on record",
                      "đã được che trong tệp báo lỗi: hãy gõ lại, hoặc để trống để giữ giá trị đang lưu"),
    "once": ("is given once, when the record is created: it cannot become {value}",
             "chỉ điền khi tạo mới: không thể sửa thành {value}"),
    "no_revision": ("is no revision: leave the column as the export wrote it", "không phải số phiên bản: giữ nguyên cột như tệp xuất ra"),
    "changed_meanwhile": ("changed since this export: it was revision {given}, now it is {now}; {who}export it again and repeat the edit",
                          "đã thay đổi sau khi xuất tệp: khi đó là phiên bản {given}, nay là {now}; hãy xuất lại và sửa lại"),
    "gone": ("has the revision {given} of an export but is not on record any more: export it again, or clear the revision to create it",
             "có phiên bản {given} của tệp xuất nhưng không còn trong sổ: hãy xuất lại, hoặc xóa ô phiên bản để tạo mới"),
    "invalid": ("{english}", "{vietnamese}"),
    "no_records": ("is no list of records: write them as the API has them, [{{\"…\": \"…\"}}], as an export shows",
                   "không phải danh sách bản ghi: viết như API, [{{\"…\": \"…\"}}], như tệp xuất ra"),
    "no_record": ("is no record: write it as the API has it, {{\"…\": \"…\"}}, as an export shows",
                  "không phải bản ghi: viết như API, {{\"…\": \"…\"}}, như tệp xuất ra"),
    "no_identifier": ("is no identifier: write the id as an answer or an export shows it",
                      "không phải mã định danh: viết như tệp xuất ra"),
    "given_by_register": ("{value} is not on record, and the register gives it: clear the cell to make a new one",
                          "chưa có {value} trong sổ, và mã này do hệ thống đặt: để trống ô này để tạo mới"),
    "records_left_out": ("was longer than a cell may be and was left out of the export: use the CSV file, or remove the column",
                         "dài hơn một ô cho phép nên tệp xuất đã bỏ: hãy dùng tệp CSV, hoặc xóa cột này"),
}  # fmt: skip
