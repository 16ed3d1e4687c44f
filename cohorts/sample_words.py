"""Names, places and topics that sample sign-ups are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Weighted = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Region:
    """Where some learners live: their zones, the languages heard there beside English, and names."""

    zones: Weighted
    languages: Weighted
    english: float
    given: tuple[str, ...]
    family: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _list(text: str) -> tuple[str, ...]:
    return tuple(text.split("; "))


REGIONS: Final = (
    Region(
        (
            ("America/New_York", 12),
            ("America/Chicago", 7),
            ("America/Denver", 2),
            ("America/Los_Angeles", 8),
            ("America/Toronto", 3),
            ("America/Phoenix", 0.7),
            ("America/Halifax", 0.5),
            ("America/St_Johns", 0.4),
            ("Pacific/Honolulu", 0.3),
        ),
        (("Spanish", 0.2), ("French", 0.08), ("Mandarin", 0.05), ("Tagalog", 0.04)),
        1.0,
        _words(
            "Avery Marcus Tasha Noah Renée Jamal Kayla Dmitri Linh Rosa Ethan Priscilla Walter Naomi Desmond"
        ),
        _words("Whitaker Delgado Okafor Lindqvist Tran Boudreaux Park Castellano Reed Abernathy Silva Moss"),
    ),
    Region(
        (
            ("America/Mexico_City", 4),
            ("America/Bogota", 3),
            ("America/Lima", 2),
            ("America/Argentina/Buenos_Aires", 2.5),
            ("America/Santiago", 1.5),
            ("America/Caracas", 0.5),
        ),
        (("Spanish", 1.0), ("Portuguese", 0.08)),
        0.72,
        _words("Ximena Joaquín Valentina Matías Lucía Ñusta Emiliano Renata Facundo Catalina Itzel Tomás"),
        _words("Quispe Echeverría Montoya Villalobos Huamán Aguirre Peña Zapata Riquelme Ibáñez Cárdenas"),
    ),
    Region(
        (("America/Sao_Paulo", 6), ("America/Manaus", 0.5), ("America/Noronha", 0.1)),
        (("Portuguese", 1.0), ("Spanish", 0.15)),
        0.7,
        _words("Thaís Caio Beatriz João Iara Murilo Luana Otávio Jussara Davi Conceição"),
        _words("Nascimento Cavalcanti Araújo Tavares Pimentel Brandão Queiroz Falcão Assunção"),
    ),
    Region(
        (
            ("Europe/London", 7),
            ("Europe/Dublin", 1),
            ("Europe/Lisbon", 1),
            ("Atlantic/Reykjavik", 0.2),
            ("Atlantic/Azores", 0.1),
        ),
        (("French", 0.12), ("Portuguese", 0.1), ("Polish", 0.06), ("Urdu", 0.05)),
        1.0,
        _words("Imogen Rhys Aoife Callum Shabnam Gethin Sigrún Eilidh Oluwaseun Fergus Mairéad Inês"),
        _words("Pemberton Llewellyn Macrae Ó-Briain Hussain Ashworth Gunnarsdóttir Figueira Trelawney Bello"),
    ),
    Region(
        (
            ("Europe/Berlin", 6),
            ("Europe/Paris", 4.5),
            ("Europe/Madrid", 3.5),
            ("Europe/Rome", 3),
            ("Europe/Amsterdam", 2),
            ("Europe/Stockholm", 1.5),
            ("Europe/Warsaw", 2),
            ("Europe/Prague", 0.8),
        ),
        (("German", 0.4), ("French", 0.35), ("Spanish", 0.22), ("Italian", 0.18), ("Polish", 0.12)),
        0.87,
        _words(
            "Jürgen Maëlle Giulia Łukasz Annika Björn Søren Zdeňka Íñigo Femke Chloé Matteo Ulrike Wiebke"
        ),
        _words("Grünwald Lefèvre Moretti Wiśniewski Åkesson Nørgaard Dvořák Zubiri Van-Dijk Bianchi Roßmann"),
    ),
    Region(
        (
            ("Europe/Kyiv", 2),
            ("Europe/Bucharest", 1.5),
            ("Europe/Athens", 1.2),
            ("Europe/Istanbul", 2),
            ("Asia/Tbilisi", 0.4),
            ("Asia/Tehran", 0.6),
            ("Africa/Cairo", 1.5),
            ("Asia/Beirut", 0.4),
        ),
        (("Ukrainian", 0.25), ("Turkish", 0.25), ("Arabic", 0.25), ("Romanian", 0.15), ("Greek", 0.15)),
        0.82,
        _words("Oksana Bogdan Despina Çağla Nino Parisa Tarek Layal Taras Ioana Eleftheria Yiğit"),
        _words("Shevchuk Ionescu Papadakis Yıldırım Beridze Rostami Mansour Haddad Kovalenko Öztürk Câmpean"),
    ),
    Region(
        (
            ("Africa/Lagos", 4),
            ("Africa/Nairobi", 2.5),
            ("Africa/Johannesburg", 2),
            ("Africa/Accra", 1),
            ("Africa/Casablanca", 0.6),
            ("Africa/Addis_Ababa", 0.5),
        ),
        (("Swahili", 0.25), ("French", 0.15), ("Yoruba", 0.25), ("Zulu", 0.1), ("Arabic", 0.08)),
        0.97,
        _words("Adébáyọ̀ Wanjiku Thandiwe Kwabena Ngozi Otieno Yasmina Selamawit Sipho Efua Chinedu Zanele"),
        _words("Adeyemi Mwangi Dlamini Asante Eze Odhiambo Benali Tesfaye Nkosi Mensah Abubakar Kiprop"),
    ),
    Region(
        (
            ("Asia/Kolkata", 9),
            ("Asia/Karachi", 1.5),
            ("Asia/Dhaka", 1),
            ("Asia/Colombo", 0.5),
            ("Asia/Kathmandu", 0.4),
        ),
        (("Hindi", 0.6), ("Tamil", 0.15), ("Urdu", 0.15), ("Bengali", 0.15)),
        0.96,
        _words("Ananya Vikram Meenakshi Farhan Sunita Arjun Ishara Bishnu Tahmina Harpreet Devika Rohan"),
        _words("Iyer Chatterjee Qureshi Perera Thapa Rahman Gill Deshmukh Nair Bhattacharya Sheikh Rao"),
    ),
    Region(
        (
            ("Asia/Singapore", 2),
            ("Asia/Manila", 2),
            ("Asia/Jakarta", 2),
            ("Asia/Ho_Chi_Minh", 1),
            ("Asia/Shanghai", 3),
            ("Asia/Tokyo", 2.5),
            ("Asia/Seoul", 1.5),
            ("Asia/Yangon", 0.3),
        ),
        (("Mandarin", 0.35), ("Japanese", 0.18), ("Korean", 0.12), ("Indonesian", 0.2), ("Tagalog", 0.15)),
        0.85,
        _words("Wei-Ling Haruka Min-jun Putri Jomar Ngọc Kenji Xiaoyu Dewi Althea Soo-ah Thiri Hiroshi"),
        _words("Tan Nakamura Cho Wijaya Bautista Nguyễn Zhao Hidayat Ishikawa Lim Aung Villanueva Okada"),
    ),
    Region(
        (
            ("Australia/Sydney", 3),
            ("Australia/Perth", 0.7),
            ("Australia/Adelaide", 0.6),
            ("Australia/Darwin", 0.2),
            ("Pacific/Auckland", 1.2),
            ("Pacific/Chatham", 0.05),
            ("Australia/Lord_Howe", 0.05),
        ),
        (("Mandarin", 0.08), ("Maori", 0.06), ("Greek", 0.05)),
        1.0,
        _words("Lachlan Aroha Bronte Tāne Matilda Kiri Angus Wiremu Saoirse Darcy Mele"),
        _words("Ngata Fitzgerald Whaanga Papadopoulos Henare McAllister Fraser Taufa Sinclair Vuong"),
    ),
)

TOPICS: Final = {
    "electronic": _list(
        "synthesizers; Ableton Live; ambient; techno; sound design; modular synths; sampling; drum machines"
    ),
    "songwriting": _list(
        "songwriting; lyrics; acoustic guitar; singing; harmony; open mic nights; piano; ukulele"
    ),
    "hip-hop": _list("beat making; rap; hip-hop history; turntables; sampling; spoken word; trap; MPC"),
    "recording": _list(
        "mixing; mastering; microphones; home studio; podcasts; live sound; Logic Pro; field recording"
    ),
    "jazz": _list("jazz; improvisation; saxophone; double bass; bossa nova; ear training; big band; piano"),
    "classical": _list(
        "orchestration; choir; counterpoint; violin; sheet music; Baroque; composition; film scores"
    ),
    "around the world": _list("Afrobeat; tabla; gamelan; flamenco; cumbia; fiddle tunes; taiko; maqam"),
    "rock": _list("electric guitar; punk; The Beatles; drums; bass guitar; guitar pedals; metal; live sound"),
    "teaching": _list(
        "music education; music therapy; children's songs; music theory; choir; open resources; "
        "community radio; accessibility"
    ),
}
"""Interests by topic; most learners pick from one topic and look over the fence into another."""

SKILLS: Final = _list(
    "mixing; music theory; recording vocals; reading sheet music; finding a rhythm; "
    "giving feedback; audio software; playing in front of people; writing lyrics; "
    "getting started; copyright questions"
)

GOALS: Final = (
    "Finish one song I am not ashamed of",
    "Understand what a mixing desk does",
    "Play with others again after ten years",
    "Make music for my own short films",
    "Meet people who listen as closely as I do",
    "Get over my fear of pressing record",
    "Use music in the classroom",
    "Record my grandmother's songs",
    "Learn why some chords hurt",
    "Put an EP together by the summer",
)

ARTISTS: Final = _list(
    "Miriam Makeba; The Beatles; Björk; Fela Kuti; Nina Simone; Kraftwerk; Joni Mitchell; Tinariwen; "
    "Cesária Évora; Radiohead; Ravi Shankar; Mercedes Sosa"
)
"""Whom somebody may love."""
