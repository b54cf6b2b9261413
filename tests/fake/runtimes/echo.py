"""A runtime of two forms that only says what it was asked for."""

FORMS = ("int8",)


def prepare(subject: object, form: str) -> tuple[object, str]:
    return subject, form
