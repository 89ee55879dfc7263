"""The style sheet `/brand.css`: a tenant's own colour over tokens.css.

The policy forbids inline styles, so a colour that is only known at run time needs a sheet.
"""

from typing import Final

from app.domain.colour import BLACK, WHITE, Colour, darkened_until_readable

# --brand of tokens.css, the colour of an institution that chose none; and --sunken, the darkest ground
# words in the brand's colour stand on
HOUSE: Final = Colour.parse("#17456b")
DARKEST_GROUND: Final = Colour.parse("#eeece5")


def readable(primary: Colour) -> Colour:
    """Return the colour itself, or darker where it would not be readable as text."""
    return darkened_until_readable(primary, on=DARKEST_GROUND)


def brand_sheet(primary: Colour) -> str:
    """Write the brand tokens for one colour, as far darkened as it takes to read."""
    brand = readable(primary)
    strong = brand.mixed(BLACK, 0.28)
    soft = brand.mixed(WHITE, 0.9)
    return (
        ":root {\n"
        f"  --brand: {brand};\n"
        f"  --brand-strong: {strong};\n"
        f"  --brand-soft: {soft};\n"
        f"  --on-brand: {WHITE};\n"
        f"  --series-1: {brand};\n"
        "}\n"
    )


def sheet_address(chosen: Colour | None) -> str:
    """Return where a page finds the sheet; it names the colour, so that a change is seen at once."""
    return f"/brand.css?colour={str(chosen)[1:]}" if chosen else "/brand.css"
