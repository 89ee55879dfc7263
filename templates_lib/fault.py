"""What is wrong with the files of a template, said so that its designer can find the place."""


class TemplateError(ValueError):
    """A template's own files cannot be used: which file, which line (`None` if unknown), why."""

    code = "template"

    def __init__(self, file: str, line: int | None, reason: str) -> None:
        super().__init__(f"{file}:{line}: {reason}" if line else f"{file}: {reason}")
        self.file, self.line, self.reason = file, line, reason
