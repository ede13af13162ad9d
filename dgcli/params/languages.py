"""The English names of the languages that the API knows, for whoever completes a tag (BCP 47)."""

_NAMES = (
    "multi several in one recording, bg Bulgarian, ca Catalan, cs Czech, da Danish, de German, el Greek, "
    "en English, es Spanish, et Estonian, fi Finnish, fr French, hi Hindi, hu Hungarian, id Indonesian, "
    "it Italian, ja Japanese, ko Korean, lt Lithuanian, lv Latvian, ms Malay, nl Dutch, no Norwegian, "
    "pl Polish, pt Portuguese, ro Romanian, ru Russian, sk Slovak, sv Swedish, ta Tamil, taq Tamasheq, "
    "th Thai, tr Turkish, uk Ukrainian, vi Vietnamese, zh Chinese"
)
_PLACES = (
    "419 Latin America, LATAM Latin America, AU Australia, BE Belgium, BR Brazil, CA Canada, "
    "CH Switzerland, CN China, DK Denmark, GB United Kingdom, HK Hong Kong, IN India, KR Korea, "
    "NZ New Zealand, PT Portugal, SE Sweden, TH Thailand, TW Taiwan, US United States, "
    "Hans simplified, Hant traditional, Latn Latin script"
)


def _name(names: str, tag: str, unknown: str) -> str:
    return dict(entry.split(" ", 1) for entry in names.split(", ")).get(tag, unknown)


def name_of_language(tag: str) -> str:
    """Return the name of a language, with the country or script of its tag; empty where it is not known."""
    language, _, place = tag.partition("-")
    name = _name(_NAMES, language, "")
    return f"{name} ({_name(_PLACES, place, place)})" if name and place else name
