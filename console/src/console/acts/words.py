"""What fields and the values of closed lists are called: in Vietnamese as the service has it, else as stands here."""

from gettext import NullTranslations

from console.acts.fields import Choice, Field
from console.words.catalogue import ENGLISH, mark

FIELDS = {
    "about": mark("About"),
    "access_recorded_by": mark("Access recorded by"),
    "address": mark("Address"),
    "after_answer_hours": mark("Not within so many hours of an answer"),
    "again": mark("Also when it was urged within the last hour"),
    "agency": mark("Managing agency (code)"),
    "agency_id": mark("Agency"),
    "agreed": mark("Agreed"),
    "agreed_by": mark("Agreed by"),
    "answered_at": mark("Answered at"),
    "approved_at": mark("Approved at"),
    "approved_by": mark("Approved by"),
    "briefing_recorded_by": mark("Briefing recorded by"),
    "cancelled_at": mark("Cancelled at"),
    "cancelled_by": mark("Cancelled by"),
    "changed_at": mark("Changed at"),
    "channel_kinds": mark("By which channels"),
    "cut_off": mark("Cut-off (empty: the newest possible)"),
    "created_at": mark("Entered at"),
    "created_by": mark("Entered by"),
    "deadline": mark("Deadline (empty: those of the register)"),
    "declared_by": mark("Declared by"),
    "disconnect_all_cameras": mark("Disconnect all cameras"),
    "document": mark("Number of the document"),
    "document_day": mark("Day on the document"),
    "document_file": mark("Where the document is kept"),
    "enabled": mark("In use"),
    "every_hours": mark("Not again within so many hours"),
    "expires_at": mark("Ends at"),
    "facility": mark("Facility (code)"),
    "from": mark("From (included)"),
    "hours": mark("For at least so many hours"),
    "issued_on": mark("Day on the paper"),
    "kind": mark("Kind"),
    "letterhead": mark("Who writes to whom"),
    "level": mark("Level (1 notice, 2 letter, 3 People's Committee)"),
    "name": mark("Name"),
    "number": mark("Number"),
    "obligation_kinds": mark("Only these obligations"),
    "addressees": mark("Addressees"),
    "basis": mark("Basis"),
    "copies": mark("Copies to"),
    "issuer": mark("Issuing agency"),
    "parent": mark("Agency above"),
    "place": mark("Place"),
    "signer_authority": mark("On whose behalf"),
    "signer_name": mark("Who signs"),
    "signer_title": mark("Post of who signs"),
    "subject": mark("Subject"),
    "symbol": mark("Symbol"),
    "drafting_unit": mark("Drafting unit"),
    "promised_by": mark("Promised by"),
    "proposals": mark("Proposals (one a line; empty: of the figures)"),
    "qr_svg": mark("QR code"),
    "reason": mark("Reason"),
    "recorded_by": mark("Recorded by"),
    "report_id": mark("Report"),
    "revision": mark("Revision"),
    "send_to": mark("Who is urged"),
    "settled_by": mark("Settled by"),
    "signed_by": mark("Signed by"),
    "status": mark("State"),
    "target_ppm": mark("Target (millionths; empty: the one in force)"),
    "text": mark("Text"),
    "time_zone": mark("Time zone"),
    "to": mark("To (excluded)"),
    "token": mark("Token, shown once"),
    "type": mark("Type of facility"),
    "unit": mark("Unit (code)"),
    "unit_codes": mark("Units"),
    "urge_id": mark("Urging"),
    "valid_from": mark("In force from"),
    "version": mark("Version"),
    "written_by": mark("Written by"),
    "percent": mark("Percent"),
    "password": mark("Password"),
    "username": mark("Login name"),
    "obligation_id": mark("Obligation"),
    "facility_id": mark("Facility"),
    "camera_id": mark("Camera"),
    "delivery_id": mark("Delivery"),
    "directive_id": mark("Directive on paper"),
    "due_before": mark("Deadline asked for"),
    "completed_at": mark("Completed at"),
    "starts_at": mark("Begins at"),
    "ends_at": mark("Ends at"),
    "for_whom": mark("For whom"),
    "decision": mark("Decision"),
    "form": mark("Form"),
}
VALUES = {
    "mailto": mark("e-mail"),
    "json": mark("message to a program"),
    "overdue": mark("overdue"),
    "due_soon": mark("due soon"),
    "outage": mark("outage"),
    "obstruction": mark("obstruction"),
    "responsible": mark("who is responsible"),
    "agency": mark("an agency"),
    "lead": mark("the lead"),
    "managing": mark("the managing agency"),
    "survey_and_plan": mark("survey and plan"),
    "connection": mark("connection"),
    "proposal": mark("proposal"),
    "installation": mark("installation"),
    "coverage": mark("coverage"),
    "focal_point": mark("focal point"),
    "inspection": mark("inspection"),
    "report": mark("report"),
    "other": mark("other"),
    "military": mark("military"),
    "health": mark("health"),
    "school": mark("school"),
    "dormitory": mark("dormitory"),
    "public_building": mark("public building"),
    "hotel": mark("hotel"),
    "field_hospital": mark("field hospital"),
    "factory": mark("factory"),
}
YES, NO = mark("yes"), mark("no")


def name_field(field: Field, language: str, words: NullTranslations) -> str:
    """Find the label of a field."""
    if language == ENGLISH:
        own = FIELDS.get(field.word)
        return own if own is not None and not field.vietnamese else spell(field.word)
    if field.vietnamese and field.vietnamese != field.word:
        return field.vietnamese
    return words.gettext(FIELDS[field.word]) if field.word in FIELDS else spell(field.word)


def name_choice(choice: Choice, language: str, words: NullTranslations) -> str:
    """One value of a closed list."""
    if language == ENGLISH:
        return choice.value.replace("_", " ")
    return choice.vietnamese or (words.gettext(VALUES[choice.value]) if choice.value in VALUES else choice.value)


def name_value(field: Field, value: object, language: str, words: NullTranslations) -> str:
    """Find the word for a value of a field of a closed list."""
    for each in field.choices:
        if each.value == str(value):
            return name_choice(each, language, words)
    return str(value)


def spell(word: str) -> str:
    """Spell a technical name as words: `due_before` is «Due before»."""
    plain = word.removesuffix("_ids").removesuffix("_id").replace("_", " ")
    return plain[:1].upper() + plain[1:]
