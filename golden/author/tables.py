"""Writes the CSV documents of the corpus. Prices follow fixed formulas, so every run gives the same bytes."""
import csv

import tables_more

TOWNS = """Accra|Greater Accra|0;Tema|Greater Accra|0;Madina|Greater Accra|0;Ashaiman|Greater Accra|0;Kasoa|Central|1;Dodowa|Greater Accra|1;
Prampram|Greater Accra|1;Ada Foah|Greater Accra|2;Nsawam|Eastern|1;Aburi|Eastern|1;Koforidua|Eastern|2;Nkawkaw|Eastern|2;Suhum|Eastern|2;
Akosombo|Eastern|2;Akim Oda|Eastern|3;Somanya|Eastern|2;Kibi|Eastern|3;Begoro|Eastern|3;Mpraeso|Eastern|3;Donkorkrom|Eastern|5;Asamankese|Eastern|2;
Kade|Eastern|3;Akwatia|Eastern|3;New Tafo|Eastern|2;Winneba|Central|2;Swedru|Central|2;Cape Coast|Central|2;Elmina|Central|2;Mankessim|Central|2;
Saltpond|Central|2;Assin Fosu|Central|3;Dunkwa-on-Offin|Central|3;Twifo Praso|Central|3;Apam|Central|2;Breman Asikuma|Central|3;Takoradi|Western|2;
Sekondi|Western|2;Tarkwa|Western|3;Axim|Western|3;Half Assini|Western|4;Prestea|Western|3;Bogoso|Western|3;Elubo|Western|4;Shama|Western|2;
Agona Nkwanta|Western|3;Sefwi Wiawso|Western North|4;Bibiani|Western North|3;Enchi|Western North|4;Juaboso|Western North|4;Awaso|Western North|4;
Kumasi|Ashanti|1;Obuasi|Ashanti|2;Ejisu|Ashanti|1;Mampong|Ashanti|2;Konongo|Ashanti|2;Bekwai|Ashanti|2;Offinso|Ashanti|2;Ejura|Ashanti|3;
Agogo|Ashanti|3;Tepa|Ashanti|3;Effiduase|Ashanti|2;Nkawie|Ashanti|2;Juaso|Ashanti|2;Kumawu|Ashanti|3;Manso Nkwanta|Ashanti|3;Sunyani|Bono|3;
Berekum|Bono|3;Dormaa Ahenkro|Bono|4;Wenchi|Bono|3;Sampa|Bono|4;Drobo|Bono|4;Nsoatre|Bono|3;Techiman|Bono East|3;Kintampo|Bono East|4;
Nkoranza|Bono East|3;Atebubu|Bono East|4;Yeji|Bono East|5;Kwame Danso|Bono East|5;Prang|Bono East|5;Jema|Bono East|4;Goaso|Ahafo|3;Bechem|Ahafo|3;
Duayaw Nkwanta|Ahafo|3;Mim|Ahafo|4;Kukuom|Ahafo|4;Kenyasi|Ahafo|4;Ho|Volta|2;Hohoe|Volta|3;Aflao|Volta|3;Keta|Volta|3;Sogakope|Volta|2;Akatsi|Volta|3;
Denu|Volta|3;Kpando|Volta|3;Kpeve|Volta|3;Anloga|Volta|3;Juapong|Volta|2;Adidome|Volta|3;Dzodze|Volta|3;Peki|Volta|3;Dambai|Oti|5;Nkwanta|Oti|5;
Kadjebi|Oti|4;Jasikan|Oti|4;Kete Krachi|Oti|5;Kpassa|Oti|6;Tamale|Northern|4;Yendi|Northern|5;Savelugu|Northern|4;Bimbilla|Northern|5;Gushegu|Northern|5;
Karaga|Northern|5;Tolon|Northern|5;Kumbungu|Northern|5;Saboba|Northern|6;Zabzugu|Northern|6;Tatale|Northern|6;Wulensi|Northern|6;Damongo|Savannah|5;
Bole|Savannah|5;Salaga|Savannah|5;Sawla|Savannah|5;Buipe|Savannah|5;Daboya|Savannah|6;Larabanga|Savannah|6;Nalerigu|North East|6;Walewale|North East|5;
Gambaga|North East|6;Chereponi|North East|6;Bunkpurugu|North East|6;Yunyoo|North East|6;Bolgatanga|Upper East|5;Navrongo|Upper East|5;Bawku|Upper East|6;
Paga|Upper East|5;Zebilla|Upper East|6;Bongo|Upper East|6;Sandema|Upper East|6;Garu|Upper East|6;Chiana|Upper East|6;Tongo|Upper East|6;Wa|Upper West|5;
Lawra|Upper West|6;Tumu|Upper West|6;Nandom|Upper West|6;Jirapa|Upper West|6;Hamile|Upper West|6;Nadowli|Upper West|6;Wechiau|Upper West|6;
Gwollu|Upper West|6;Funsi|Upper West|6"""
# zone: (prices up to 5, 5-20, 20-50, 50-120 kg), days
ZONES = {0: ((15, 25, 60, 110), "1"), 1: ((20, 35, 80, 145), "1-2"), 2: ((26, 44, 105, 190), "2"), 3: ((32, 56, 130, 240), "2-3"),
         4: ((40, 68, 165, 300), "3-4"), 5: ((48, 84, 205, 375), "4-5"), 6: ((58, 99, 250, 460), "5-7")}
OLD = {0: (12, 20, 45, 85), 1: (16, 28, 62, 115), 2: (21, 36, 84, 150), 3: (26, 45, 104, 190), 4: (33, 56, 132, 240),
       5: (40, 69, 166, 305), 6: (47, 80, 205, 380)}
BANDS = ["up to 5 kg", "over 5 to 20 kg", "over 20 to 50 kg", "over 50 to 120 kg"]

STORES = """GH-01|Accra Mall|Accra|Ghana|Spintex Road, ground floor, unit 14|09:00-20:00|09:00-20:00|12:00-18:00|+233 30 555 0101|yes|no
GH-02|Accra Makola|Accra|Ghana|Kojo Thompson Road, opposite the fabric market|08:00-18:00|08:00-16:00|closed|+233 30 555 0102|yes|no
GH-03|Tema Community 25|Tema|Ghana|14 Sebrepor Link, beside the Service Centre|08:00-17:00|09:00-13:00|closed|+233 30 555 0103|yes|yes
GH-04|Kumasi Adum|Kumasi|Ghana|Prempeh II Street 88|08:00-18:30|08:30-17:00|closed|+233 32 555 0104|yes|yes
GH-05|Kumasi Kejetia|Kumasi|Ghana|Market Circle, gate C|08:00-18:00|08:00-18:00|13:00-17:00|+233 32 555 0105|no|no
GH-06|Takoradi Market Circle|Takoradi|Ghana|John Sarbah Road 7|08:00-17:30|08:30-15:00|closed|+233 31 555 0106|yes|no
GH-07|Cape Coast|Cape Coast|Ghana|Commercial Street, beside the old post office|08:00-17:30|09:00-14:00|closed|+233 33 555 0107|yes|no
GH-08|Koforidua|Koforidua|Ghana|Oguaa Street, near the beads market|08:00-17:00|08:30-13:30|closed|+233 34 555 0108|no|no
GH-09|Ho|Ho|Ghana|Mawuli School Road 3|08:00-17:00|09:00-13:00|closed|+233 36 555 0109|yes|no
GH-10|Sunyani|Sunyani|Ghana|Area 4, Fiapre Road|08:00-17:30|09:00-14:00|closed|+233 35 555 0110|yes|no
GH-11|Techiman|Techiman|Ghana|Tamale Road, near the tomato market|07:30-17:30|07:30-17:30|closed|+233 35 555 0111|no|no
GH-12|Tamale Central|Tamale|Ghana|Bolgatanga Road 21|08:00-17:30|08:30-15:00|closed|+233 37 555 0112|yes|yes
GH-13|Bolgatanga|Bolgatanga|Ghana|Commercial Street, opposite the craft centre|08:00-17:00|08:30-14:00|closed|+233 38 555 0113|yes|no
GH-14|Wa|Wa|Ghana|Dobile, Kumasi Road|08:00-17:00|09:00-13:00|closed|+233 39 555 0114|yes|no
GH-15|Aflao|Aflao|Ghana|Border Road, Kiosk Row B|08:00-17:00|08:00-17:00|closed|+233 36 555 0115|no|no
CI-01|Abidjan-Treichville|Abidjan|Côte d'Ivoire|Avenue 16, rue 38|08:00-18:30|08:30-17:00|closed|+225 27 555 0141|yes|no
CI-02|Bouaké|Bouaké|Côte d'Ivoire|Quartier Commerce|08:00-18:00|08:00-13:00|closed|+225 27 555 0142|yes|no
CI-03|San-Pédro|San-Pédro|Côte d'Ivoire|Boulevard de la République|08:30-17:30|08:30-12:30|closed|+225 27 555 0143|no|no
MZ-01|Maputo|Maputo|Mozambique|Avenida do Trabalho 1420|08:00-17:30|08:00-13:00|closed|+258 21 555 161|yes|yes
MZ-02|Beira|Beira|Mozambique|Rua do Aeroporto, Maquinino|08:00-17:00|08:30-12:30|closed|+258 23 555 162|yes|no
MZ-03|Nampula|Nampula|Mozambique|Avenida Paulo Samuel Kankhomba|07:30-16:30|closed|closed|+258 26 555 163|no|no
GE-01|Malabo|Malabo|Equatorial Guinea|Calle de Kenia|09:00-19:00|09:00-14:00|closed|+240 333 555 171|yes|no
GE-02|Bata|Bata|Equatorial Guinea|Paseo marítimo, edificio Utonde|08:30-13:00 and 15:30-19:00|09:00-13:00|closed|+240 333 555 172|yes|no"""

PRODUCTS = """SN-020|SunNest 20 solar kit|Solar kits|1,150|2.9|in stock
SN-050|SunNest 50 solar kit|Solar kits|2,480|7.4|in stock
SN-080TV|SunNest 80 TV solar kit|Solar kits|5,390|16.8|in stock
SP-BP307|SunNest extension battery pack 307 Wh|Solar kits|1,960|3.6|in stock
HV-1500|HomeVolt 1500 system with one CellPak 2.5|Home systems|24,900||on order, 2 weeks
HV-3000|HomeVolt 3000 system with two CellPak 2.5|Home systems|41,500||on order, 3 weeks
CP-25|CellPak 2.5 battery|Home systems|8,700|24|in stock
HV-PN330|Solar panel 330 W for HomeVolt|Home systems|1,280|18.5|in stock
HV-SY1|Sync cable for two inverters|Home systems|145|0.2|in stock
HV-FN2|Fan for HomeVolt inverter|Home systems|165|0.2|in stock
SP-2|Surge protector SP-2|Home systems|310|0.4|in stock
CB-090|CoolBox 90 fridge|Fridges|7,950|38|in stock
CB-160F|CoolBox 160F freezer|Fridges|10,600|58|in stock
CB-AC1|Mains adapter 230 V for CoolBox, version B|Fridges|540|1.1|in stock
CB-LG2|Temperature data logger for CoolBox|Fridges|620|0.2|on order, 4 weeks
CB-GK90|Lid gasket CoolBox 90|Fridges|130|0.5|in stock
CB-GK160|Lid gasket CoolBox 160F|Fridges|175|0.7|in stock
CB-FN1|Electronics fan CoolBox|Fridges|88|0.1|in stock
CB-SN1|Temperature sensor CoolBox|Fridges|64|0.1|out of stock until January 2027
BZ-12|Breeza 12 table fan 12 V|Fans|420|1.9|in stock
BZ-16S|Breeza 16S stand fan 230 V|Fans|690|5.2|in stock
BZ-16R|Breeza 16R rechargeable stand fan|Fans|1,090|6.1|in stock
BZ-AD2|Mains adapter for Breeza 16R, blue dot|Fans|95|0.3|in stock
PC-06|Mafra 6 L electric pressure cooker|Cookers|980|5.8|in stock
IH-01|Mafra induction cooker|Cookers|640|2.7|in stock
AC-IP24|Induction pot set, 3 pieces|Cookers|385|3.4|in stock
SP-RG06|Sealing ring for Mafra 6 L|Cookers|45|0.1|in stock
KL-1|Kora Lite keypad phone|Phones|260|0.2|in stock
KA-3|Kora A3 smartphone|Phones|1,050|0.4|in stock
KA-5|Kora A5 smartphone|Phones|1,890|0.4|in stock
AC-20C|Charger 20 W USB-C|Accessories|85|0.1|in stock
AC-CC1|Cable USB-C to USB-C, 1 m|Accessories|35|0.1|in stock
AC-CA2|Cable USB-A to USB-C, 2 m|Accessories|40|0.1|in stock
AC-TG65|Tempered glass for Kora A3|Accessories|30|0.1|in stock
AC-TG67|Tempered glass for Kora A5|Accessories|35|0.1|in stock
AC-CS67|Rubber case for Kora A5|Accessories|55|0.1|in stock
AC-EP1|Wired earphones USB-C|Accessories|60|0.1|in stock
AC-PB10|Power bank 10,000 mAh|Accessories|240|0.3|in stock
AC-PB20|Power bank 20,000 mAh|Accessories|380|0.5|in stock
AC-MC64|Memory card 64 GB|Accessories|75|0.1|in stock
AC-MC256|Memory card 256 GB|Accessories|210|0.1|out of stock until December 2026
SP-LM03|Lamp 3 W with cable 5 m|Spare parts|48|0.2|in stock
SP-LM05|Lamp 5 W with cable 5 m|Spare parts|59|0.2|in stock
SP-SPL2|Lamp splitter|Spare parts|28|0.1|in stock
SP-SW01|Wall switch|Spare parts|22|0.1|in stock
SP-RD02|Radio with torch|Spare parts|165|0.5|in stock
SP-TV24|Television 24 inch DC|Spare parts|1,750|4.1|in stock
SP-RC24|Remote control for television|Spare parts|38|0.1|in stock
SP-CB06|Panel cable 6 m|Spare parts|70|0.6|in stock
SP-CB10|Panel cable 10 m, extension|Spare parts|110|1.0|in stock
SP-PH04|Phone charging lead, 4 plugs|Spare parts|32|0.1|in stock
SP-FU2A|Fuse F2A, pack of 5|Spare parts|10|0.1|in stock
SP-BR01|Roof bracket with screws|Spare parts|85|1.2|in stock
SP-PN50|Solar panel 50 W|Spare parts|520|4.3|in stock
SP-PN80|Solar panel 80 W|Spare parts|790|6.2|in stock
HV-HK4|Roof hook, stainless A4|Home systems|58|0.4|in stock
AC-RM5|Resistor load for battery test|Workshop|140|0.6|shops only"""

CI = """SN-020|Kit solaire SunNest 20|68 500,00|2,9|24
SN-050|Kit solaire SunNest 50|143 000,00|7,4|24
SN-080TV|Kit solaire SunNest 80 TV|312 000,00|16,8|24
SP-BP307|Batterie complémentaire SunNest 307 Wh|116 500,00|3,6|18
CB-090|Réfrigérateur CoolBox 90|462 500,00|38,0|24
CB-160F|Congélateur CoolBox 160F|614 000,00|58,0|24
CB-LG2|Enregistreur de température CoolBox|47 500,00|0,2|12
CB-AC1|Adaptateur secteur CoolBox, version B|31 250,00|1,1|12
BZ-12|Ventilateur de table Breeza 12|25 500,00|1,9|12
BZ-16S|Ventilateur sur pied Breeza 16S|41 000,00|5,2|12
BZ-16R|Ventilateur rechargeable Breeza 16R|63 500,00|6,1|12
PC-06|Autocuiseur électrique Mafra 6 L|57 000,00|5,8|12
IH-01|Plaque à induction Mafra|38 500,00|2,7|12
KL-1|Téléphone à touches Kora Lite|15 900,00|0,2|12
KA-3|Téléphone Kora A3|61 500,00|0,4|12
KA-5|Téléphone Kora A5|109 900,00|0,4|12
AC-20C|Chargeur 20 W USB-C|5 200,00|0,1|3
AC-CA2|Câble USB-A vers USB-C, 2 m|2 450,00|0,1|3
AC-PB10|Batterie externe 10 000 mAh|14 500,00|0,3|6
AC-PB20|Batterie externe 20 000 mAh|22 900,00|0,5|6
AC-TG67|Verre trempé Kora A5|2 100,00|0,1|3
SP-LM03|Lampe 3 W avec câble 5 m|2 900,00|0,2|12
SP-LM05|Lampe 5 W avec câble 5 m|3 550,00|0,2|12
SP-FU2A|Fusible F2A, lot de 5|600,00|0,1|0
SP-RD02|Radio avec torche|9 800,00|0,5|12
SP-PN50|Panneau solaire 50 W|31 500,00|4,3|60
SP-PN80|Panneau solaire 80 W|47 250,00|6,2|60
SP-2|Protection contre la foudre SP-2|18 750,00|0,4|12
SP-CB10|Rallonge de panneau 10 m|6 650,00|1,0|12"""

FAQ = [
    ("Eligibility", "Can a student take a plan?", "Yes, a student of 18 years or older can take a plan for a phone or a SunNest 20 if a parent or guardian signs as guarantor. Larger products need an own income."),
    ("Eligibility", "Can foreigners living in Ghana take a plan?", "Yes, with a non-citizen Ghana Card that is valid for the whole length of the plan, and with a Ghanaian guarantor."),
    ("Eligibility", "I was refused. When can I apply again?", "After 90 days. We do not tell the score, but we tell you which of the conditions was not met."),
    ("Eligibility", "Do you check with a credit bureau?", "Yes, once at the application. We report completed plans and plans that ended at day 104; we do not report single late weeks."),
    ("Payments", "Can I pay for several months in advance?", "Yes, up to the end of the plan. Paying in advance gives no discount unless the whole open amount is paid in one sum."),
    ("Payments", "Is there a charge for mobile money?", "We pay the operator's charge for payments of GHS 10 and more. Below GHS 10 the operator takes its charge from you."),
    ("Payments", "Can I pay at the shop counter?", "Yes, by card or mobile money at the counter of a company shop. Cash is accepted for deposits only, not for weekly amounts."),
    ("Payments", "Can I set up an automatic payment?", "Yes, send AUTO to 718 and choose daily, weekly or monthly. A standing order can be stopped at any time with AUTO STOP."),
    ("Payments", "I paid too much at the end of my plan. What happens?", "The surplus is sent back to the wallet that made the last payment within 10 working days. Amounts below GHS 2 are not sent back."),
    ("Locking", "Does the unit lock at once when my days are over?", "No. It locks at noon on the day after the last paid day."),
    ("Locking", "Can I get light for one night although I have no money?", "Send HELP NIGHT to 718. You get one free night, at most twice in a month. It is not available for phones, fridges and HomeVolt."),
    ("Locking", "My area has no network. Can I still enter a code?", "Yes, the code can be typed without network. Only the SMS needs a network; somebody else can receive it and read it to you."),
    ("Upgrade", "Can I change from SunNest 50 to SunNest 80 TV during the plan?", "Yes, after at least 26 weeks. Half of what you have paid counts towards the new plan and the old kit is returned in working order. A new deposit is not needed."),
    ("Upgrade", "Can I go down to a smaller product?", "No, but you can hand the unit back and start a new plan."),
    ("Ownership", "I have finished paying but it still asks for a code.", "The unit unlocks for good within 24 hours after the last payment. If it is still locked after that, send the contract number to an adviser."),
    ("Ownership", "Can I sell my kit after the plan?", "Yes. Hand over the ownership certificate and the receipt, then the warranty goes to the new owner."),
    ("Loans", "Do you lend cash?", "No. We have no cash loans. Anybody who offers a cash loan in our name is a fraud."),
    ("Loans", "Do you finance school fees?", "Yes, as a pilot in Ashanti and Bono East: customers who have finished a plan can get GHS 300 to GHS 1,200 paid directly to the school and pay it back in 16 or 24 weeks with a fee of 9%."),
    ("Referral", "Do I get something for bringing a friend?", "Yes. When a friend whom you named before the contract has paid 8 weeks, you receive 10 free days on your own plan, or GHS 25 in airtime if your plan is finished. At most five friends in a year."),
    ("Referral", "Can agents use the referral programme?", "No. Agents receive commission and are excluded."),
    ("Insurance", "Does the plan include hospital cash cover?", "Yes, for SunNest 80 TV and HomeVolt plans whose days were paid on time in the month before: GHS 40 per night in hospital from the third night, up to 20 nights in a year."),
    ("Insurance", "How do I claim hospital cash?", "Send the discharge sheet and the contract number on WhatsApp within 60 days after you left the hospital. The insurer pays in 10 working days."),
    ("Data", "Do you track where my unit is?", "Units with the green antenna mark send a rough position once a day while the plan is running. It is used only in case of theft and for service, and it stops when the plan is paid off."),
    ("Data", "How do I delete my data?", "Write to privacy@tamarind.example. Data of a running plan cannot be deleted; after the end of the plan we keep contract data for 6 years because the tax law asks for it and delete everything else within 90 days."),
]

COOKER = [
    ("Mafra PC-06", "SP-RG06", "Sealing ring", "owner", 45, "18 months"), ("Mafra PC-06", "SP-FV06", "Float valve", "owner", 18, ""),
    ("Mafra PC-06", "SP-PT06", "Inner pot 6 L", "owner", 210, ""), ("Mafra PC-06", "SP-EL06", "Heating element 900 W", "technician", 160, ""),
    ("Mafra PC-06", "SP-MB06", "Control board", "technician", 240, ""), ("Mafra IH-01", "SP-FN01", "Cooling fan", "technician", 70, ""),
    ("Mafra IH-01", "SP-GL01", "Glass plate", "technician", 190, ""), ("Breeza 12", "SP-BL12", "Blade 12 inch", "owner", 35, ""),
    ("Breeza 16R", "SP-BT16", "Battery 77 Wh", "technician", 330, "3 years"), ("Breeza 16R", "SP-BL16", "Blade 16 inch", "owner", 42, ""),
    ("Breeza 16S", "SP-BL16", "Blade 16 inch", "owner", 42, ""), ("Breeza 16S", "SP-CA16", "Capacitor", "technician", 25, ""),
    ("Breeza 16R", "BZ-AD2", "Mains adapter, blue dot", "owner", 95, ""), ("CoolBox 90", "CB-GK90", "Lid gasket", "owner", 130, ""),
    ("CoolBox 160F", "CB-GK160", "Lid gasket", "owner", 175, ""), ("CoolBox 90", "CB-BK1", "Basket", "owner", 75, ""),
    ("CoolBox 90 and 160F", "CB-DP1", "Drain plug", "owner", 12, ""), ("CoolBox 90 and 160F", "CB-FN1", "Electronics fan", "technician", 88, ""),
    ("CoolBox 90 and 160F", "CB-SN1", "Temperature sensor", "technician", 64, ""), ("CoolBox 90", "CB-CP90", "Compressor", "technician", 1480, ""),
    ("CoolBox 160F", "CB-CP160", "Compressor", "technician", 1910, ""), ("SunNest 50", "SP-LM03", "Lamp 3 W with cable 5 m", "owner", 48, ""),
    ("SunNest 80 TV", "SP-LM05", "Lamp 5 W with cable 5 m", "owner", 59, ""), ("SunNest 50 and 80 TV", "SP-FU2A", "Fuse F2A, pack of 5", "owner", 10, ""),
    ("SunNest 50", "SP-BT50", "Battery 154 Wh", "technician", 690, "5 years"), ("SunNest 80 TV", "SP-BT80", "Battery 307 Wh", "technician", 1240, "5 years"),
    ("SunNest 50", "SP-CU5", "Control unit CU-5, board", "technician", 310, ""), ("SunNest 80 TV", "SP-CU8", "Control unit CU-8, board", "technician", 455, ""),
    ("SunNest 80 TV", "SP-RC24", "Remote control for television", "owner", 38, ""), ("Kora A3", "SP-SC65", "Screen 6.5 inch", "technician", 260, ""),
    ("Kora A5", "SP-SC67", "Screen 6.7 inch", "technician", 540, ""), ("Kora A3", "SP-BA3", "Phone battery 5,000 mAh", "technician", 120, ""),
    ("Kora A5", "SP-BA5", "Phone battery 5,000 mAh", "technician", 145, ""), ("Kora A3 and A5", "SP-CP3", "Charging port USB-C", "technician", 38, ""),
]


def rows(text):
    return [r.strip().split("|") for r in text.replace(";\n", ";").replace("\n", ";").split(";") if r.strip()]


def save(path, header, data, delimiter=",", encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding=encoding, newline="") as f:
        out = csv.writer(f, delimiter=delimiter, lineterminator="\r\n")
        out.writerow(header)
        out.writerows(data)
    print(path.name, len(data))


def lines(text):
    return [r.split("|") for r in text.splitlines()]


def write(corpus):
    towns = rows(TOWNS)
    now, old = [], []
    for n, (town, region, zone) in enumerate(towns):
        zone = int(zone)
        for band, price in enumerate(ZONES[zone][0]):
            bump = (n * 7 + band * 3) % 4  # small local differences, as negotiated with the carriers
            now.append((town, region, BANDS[band], "standard", price + bump, ZONES[zone][1]))
            if n % 2 == 0 or zone < 2:
                old.append((town, region, BANDS[band], OLD[zone][band] + (n + band) % 3, ZONES[zone][1], "2024-01-01", "2026-02-28"))
            if band < 2 and zone <= 5:
                days = {0: "same day", 1: "1", 2: "1", 3: "1-2", 4: "2", 5: "2-3"}[zone]
                now.append((town, region, BANDS[band], "express", price * 2 + 10 + bump, days))
    if len(now) < 1000:
        for n, (town, region, zone) in enumerate(towns):
            now += [(town, region, BANDS[b], "agent pick-up", round((ZONES[int(zone)][0][b] + (n * 7 + b * 3) % 4) * 0.6, 2), ZONES[int(zone)][1]) for b in (0, 1)]
        now.sort(key=lambda r: [t[0] for t in towns].index(r[0]))
    save(corpus / "delivery/delivery-tariff-ghana-2026-03.csv", ["Town", "Region", "Weight band", "Service", "Price GHS", "Days"], now)
    save(corpus / "delivery/delivery-tariff-ghana-2024-old.csv", ["Town", "Region", "Weight band", "Price GHS", "Days", "Valid from", "Valid until"], old)
    save(corpus / "stores/stores-and-hours.csv", ["Code", "Store", "City", "Country", "Address", "Mon-Fri", "Saturday", "Sunday", "Phone",
                                                  "Takes in repairs", "Technician on site"], lines(STORES))
    save(corpus / "prices/price-list-ghana-2026-10.csv", ["SKU", "Product", "Group", "Cash price GHS", "Weight kg", "Availability"], lines(PRODUCTS))
    save(corpus / "fr/liste-prix-ci-2026-09.csv", ["Référence", "Désignation", "Prix TTC XOF", "Poids kg", "Garantie mois"], lines(CI), ";")
    save(corpus / "faq/payg-questions-ghana.csv", ["Topic", "Question", "Answer"], FAQ)
    save(corpus / "service/spare-parts-ghana.csv", ["Product", "Part number", "Part", "Fitted by", "Price GHS", "Replace every"], COOKER)
    tables_more.write(corpus, towns, rows)
