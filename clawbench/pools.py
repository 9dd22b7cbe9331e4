"""The invented people and companies that facts are drawn from. ASCII only, and apart from the identity pools.

Changing a pool changes every world: that is a new version of the protocol.
"""

from __future__ import annotations

_FIRST_NAMES = """
Adaeze Alma Anders Anika Arturo Astrid Baran Beatriz Bjorn Callum Carmen Cedric Chiara Dalia Darius
Delphine Desmond Dmitri Edda Elif Emeka Esme Fabian Farah Felipe Fiona Gideon Greta Hamza Hanna
Henrik Ilaria Imani Ingrid Isaac Ivana Jasper Joaquin Kaito Katya Kofi Laila Leif Linnea Lorenzo
Malik Mareike Mateo Milena Nadia Nikhil Noemi Odette Orla Oskar Paloma Pavel Priya Rafael Renata
Rohan Rosalind Sanjay Saskia Selma Soren Tamsin Tarek Thea Tobias Ulrika Valentin Vera Wanjiru
Xavier Yasmin Yusuf Zainab Zoran Zuri
"""
FIRST_NAMES = tuple(_FIRST_NAMES.split())

_LAST_NAMES = """
Abara Adeyemi Aguilar Ahlgren Amadi Arslan Baptiste Barros Bergstrom Bianchi Brandt Calloway Castellano
Chaudhry Dahl Delacroix Demir Devlin Drummond Eklund Escobar Fairbanks Farouk Ferrante Fitzroy Galvez
Ghosh Granger Grimaldi Hakimi Halloran Hartmann Haugen Holmgren Ibarra Ishikawa Jankowski Jimenez Kaplan
Kovacs Kurosawa Lachance Lindqvist Lombardi Maalouf Marchetti Mbeki Medina Moreau Mukherjee Nakagawa
Ndiaye Novotny Obeng Okonkwo Olsson Pacheco Petrakis Quintero Radcliffe Rasmussen Rosario Sandoval
Sarkis Schreiber Solberg Stavros Sutherland Takeda Tellier Thackeray Ueda Valcourt Vandermeer Villanueva
Wadsworth Whitlock Yamada Zapata Zielinski
"""
LAST_NAMES = tuple(_LAST_NAMES.split())

COMPANIES = (
    ("Alderbrook Freight", "alderbrookfreight.com"),
    ("Amberline Foods", "amberlinefoods.com"),
    ("Arkwell Logistics", "arkwelllogistics.com"),
    ("Ashgrove Insurance", "ashgroveinsurance.com"),
    ("Beaconridge Retail", "beaconridgeretail.com"),
    ("Birchhaven Health", "birchhavenhealth.com"),
    ("Brightmoor Energy", "brightmoorenergy.com"),
    ("Calderon Shipping", "calderonshipping.com"),
    ("Cedarpoint Capital", "cedarpointcap.com"),
    ("Copperleaf Hotels", "copperleafhotels.com"),
    ("Crestfall Media", "crestfallmedia.com"),
    ("Dovetail Payroll", "dovetailpayroll.com"),
    ("Eastmere Bank", "eastmerebank.com"),
    ("Elmstead Pharma", "elmsteadpharma.com"),
    ("Fernhollow Grocers", "fernhollow.com"),
    ("Foxglove Travel", "foxglovetravel.com"),
    ("Glenmarch Motors", "glenmarchmotors.com"),
    ("Graniteway Mining", "granitewaymining.com"),
    ("Halcyon Textiles", "halcyontextiles.com"),
    ("Harborline Systems", "harborlinesystems.com"),
    ("Hazelwick Publishing", "hazelwickpublishing.com"),
    ("Ironbark Steel", "ironbarksteel.com"),
    ("Juniper Ridge", "juniperridgegroup.com"),
    ("Kestrel Aviation", "kestrelaviation.com"),
    ("Kingsferry Telecom", "kingsferrytelecom.com"),
    ("Lanternfield Schools", "lanternfield.com"),
    ("Larkspur Clinics", "larkspurclinics.com"),
    ("Lowenstein Optics", "lowensteinoptics.com"),
    ("Maplecroft Dairy", "maplecroftdairy.com"),
    ("Marrowstone Legal", "marrowstonelegal.com"),
    ("Moorgate Analytics", "moorgateanalytics.com"),
    ("Northgale Utilities", "northgaleutilities.com"),
    ("Oakhurst Realty", "oakhurstrealty.com"),
    ("Osprey Marine", "ospreymarine.com"),
    ("Pinecrest Robotics", "pinecrestrobotics.com"),
    ("Quarrystone Cement", "quarrystonecement.com"),
    ("Ravenscroft Security", "ravenscroftsecurity.com"),
    ("Redthorn Apparel", "redthornapparel.com"),
    ("Riverbend Paper", "riverbendpaper.com"),
    ("Saltmarsh Seafood", "saltmarshseafood.com"),
    ("Silverbirch Dental", "silverbirchdental.com"),
    ("Stonebridge Tools", "stonebridgetools.com"),
    ("Summerlake Resorts", "summerlakeresorts.com"),
    ("Tidewater Ceramics", "tidewaterceramics.com"),
    ("Umberfield Wines", "umberfieldwines.com"),
    ("Westvale Clinical", "westvaleclinical.com"),
    ("Windermark Toys", "windermarktoys.com"),
    ("Yarrow Biotech", "yarrowbiotech.com"),
)

TICKET_PREFIXES = ("ATL", "BLU", "COR", "DEV", "ENG", "FLX", "HUB", "OPS", "PLT", "PRD", "QRT", "WEB")
"""What a drawn task id begins with: one prefix per world."""
