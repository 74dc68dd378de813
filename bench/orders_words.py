"""The words that made-up orders are written with: names, streets, goods. No person is meant."""

from typing import Final


def _each(text: str, parted_by: str = " ") -> tuple[str, ...]:
    return tuple(text.split(parted_by))


FIRST_NAMES: Final = _each(
    "Ada Alma Anton Arne Bela Birte Carla Cora Dana David Edda Elias Emil Enno Fenna Finn Frida "
    "Gita Greta Hanna Hugo Ida Ines Ivo Jana Jonas Jule Kai Karla Lars Lea Leo Lina Luis Mara "
    "Marek Mila Mona Nele Nils Nora Olga Oskar Paula Per Pia Rafael Rosa Sami Selma Sven Tara "
    "Theo Tilda Uwe Vera Viktor Wanda Yara Yusuf Zita"
)
LAST_NAMES: Final = _each(
    "Adler Andersen Becker Berg Brandt Castro Costa Dahl Dietrich Evans Farkas Fischer Fonseca "
    "Garcia Grant Haas Hansen Hartmann Horvat Ibrahim Ivanov Jansen Jensen Kaya Keller Kowalski "
    "Krause Lang Larsen Lindt Lopez Marino Maurer Meyer Moreau Nagy Neumann Nguyen Nowak Okafor "
    "Olsen Ortiz Park Pereira Petrov Quinn Ricci Rossi Santos Schmidt Silva Sommer Tanaka Torres "
    "Varga Vogel Voss Wagner Weber Winter Yilmaz Ziegler"
)
STREETS: Final = _each(
    "Alder Ash Bay Birch Bridge Canal Castle Cedar Chapel Church Cliff Cross Dock East Elm Field "
    "Forest Garden Grove Harbour Hazel Hill Holly King Lake Linden Lock Maple Market Meadow Mill "
    "North Oak Orchard Park Pine Pond Quay Queen River Rose School South Spring Station Stone "
    "Tower Valley Victoria Vine Water Well West Willow Wood"
)
CITIES: Final = tuple(
    tuple(place.split("/"))
    for place in (
        "Albany/NY/122",
        "Austin/TX/787",
        "Boise/ID/837",
        "Boston/MA/021",
        "Buffalo/NY/142",
        "Charleston/SC/294",
        "Chicago/IL/606",
        "Columbus/OH/432",
        "Denver/CO/802",
        "Des Moines/IA/503",
        "Eugene/OR/974",
        "Fresno/CA/937",
        "Helena/MT/596",
        "Houston/TX/770",
        "Jacksonville/FL/322",
        "Los Angeles/CA/900",
        "Madison/WI/537",
        "Minneapolis/MN/554",
        "New Orleans/LA/701",
        "New York/NY/100",
        "Oakland/CA/946",
        "Omaha/NE/681",
        "Philadelphia/PA/191",
        "Phoenix/AZ/850",
        "Pittsburgh/PA/152",
        "Portland/OR/972",
        "Reno/NV/895",
        "Richmond/VA/232",
        "San Antonio/TX/782",
        "San Diego/CA/921",
        "Santa Fe/NM/875",
        "Savannah/GA/314",
        "Seattle/WA/981",
        "Spokane/WA/992",
        "Tampa/FL/336",
        "Tucson/AZ/857",
        "Tulsa/OK/741",
    )
)
QUALITIES: Final = _each(
    "Alpine Basic Classic Coastal Compact Daily Deluxe Eco Everyday Expedition Featherlight "
    "Flexible Foldable Heritage Insulated Junior Light Modern Nordic Organic Outdoor Premium "
    "Quiet Recycled Rugged Slim Soft Sturdy Travel Urban Waterproof Winter"
)
THINGS: Final = _each(
    "Backpack,Beanie,Belt,Blanket,Boots,Bottle,Bowl Set,Camping Chair,Candle,Cap,Coffee Grinder,"
    "Cutting Board,Desk Lamp,Duffel Bag,Fleece Jacket,Gloves,Headlamp,Hiking Socks,Kettle,"
    "Knife Set,Lunch Box,Notebook,Pillow,Rain Jacket,Running Shoes,Scarf,Sleeping Bag,Tea Pot,"
    "Tent,Thermos,Towel,Trekking Poles,T-Shirt,Umbrella,Wallet,Wall Clock,Water Filter,Wool Jumper,"
    "Yoga Mat",
    parted_by=",",
)
SIZES: Final = ("Small", "Medium", "Large", "Black", "Navy", "Sand")
PARTNERS: Final = _each(
    "Bluefin Trading,Cardinal Supply,Delta Wholesale,Evergreen Retail,Fairway Goods,"
    "Granite Outfitters,Harbor & Sons,Ironwood Stores,Juniper Market,Kestrel Sports,"
    "Lakeside Gifts,Meridian Home",
    parted_by=",",
)
NOTES: Final = (
    "Please leave the parcel with the neighbours on the ground floor if nobody is in.",
    "It is a present: no prices on the delivery note, please.",
    "Ring twice, the bell is hard to hear from the garden.",
    "Deliver after five in the afternoon.",
    "Gate code 4711. The dog is friendly.",
    "If something is missing, send the rest at once rather than wait for it.",
)
REASONS: Final = (
    "Found it elsewhere",
    "Changed mind",
    "Ordered twice by mistake",
    "Delivery takes too long",
    "Wrong size chosen",
)
CARRIERS: Final = (
    ("UPS", "1Z", "https://www.ups.com/track?tracknum="),
    ("FedEx", "74", "https://www.fedex.com/fedextrack/?trknbr="),
    ("DHL", "JD", "https://www.dhl.com/en/express/tracking.html?AWB="),
    ("USPS", "94", "https://tools.usps.com/go/TrackConfirmAction?tLabels="),
)
CARDS: Final = (
    ("Visa", "4242"),
    ("Visa", "4242"),
    ("Mastercard", "4444"),
    ("American Express", "0005"),
)
