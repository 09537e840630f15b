"""Tables that are awkward on purpose: titles above the header, sections, remarks between rows, footers, semicolons, Windows-1252."""
import csv
import io

# plan sheet of the fourth quarter: code, product, weekly amount; the last line is the amount of older contracts
PLANS = [("SN-020", "SunNest 20", 28), ("SN-050", "SunNest 50", 52), ("SN-080TV", "SunNest 80 TV", 84), ("HV-1500", "HomeVolt 1500", 310),
         ("CB-090", "CoolBox 90", 125), ("CB-160F", "CoolBox 160F", 165), ("BZ-16R", "Breeza 16R", 27), ("PC-06", "Mafra 6 L cooker", 24),
         ("KA-3", "Kora A3", 25), ("KA-5", "Kora A5", 36), ("SN-050", "SunNest 50, contract signed before 1 October 2026", 49)]

BRANDS = {"ZURI": ("Z", 9, 31, 4), "PALMO": ("P", 20, 43, 7), "INDABA": ("Note ", 3, 25, 2), "VELO": ("V", 30, 53, 11), "TENKO": ("Spark ", 1, 24, 5),
          "OSAGYE": ("K", 5, 24, 9)}
ACCESSORIES = [("TG", "Tempered glass", 18), ("PG", "Privacy glass", 34), ("BC", "Back cover, silicone", 22), ("FC", "Flip case", 41),
               ("BT", "Battery", 96), ("CC", "Charging cable", 24), ("CG", "Camera glass", 15), ("LB", "Lens and button set", 27)]
SHOPS = ["Accra Makola, Kumasi Adum", "all company shops", "on order, 5 working days", "Accra Makola", "Kumasi Kejetia, Tamale Central", "sold out"]

POINTS = ["kiosk beside the lorry station", "provisions shop opposite the clinic", "drug store at the main junction", "phone repair stand, market gate",
          "cold store behind the police station", "mobile money stand at the taxi rank", "bookshop next to the Methodist school"]
OPENING = ["Mon-Sat 07:30-18:30", "Mon-Sat 08:00-17:00", "daily 07:00-19:00", "Mon-Fri 08:30-17:00", "Mon-Sat 06:30-20:00, closed Fri 12:00-14:00"]
NO_POINT = {"Accra", "Tema", "Kumasi", "Tamale", "Paga", "Bawku", "Larabanga", "Funsi", "Yunyoo"}

# Côte d'Ivoire: town, region, distance class
VILLES = """Abengourou|Indénié-Djuablin|2;Agnibilékrou|Indénié-Djuablin|2;Niablé|Indénié-Djuablin|3;Bettié|Indénié-Djuablin|3;Adzopé|La Mé|1;Akoupé|La Mé|2;
Alépé|La Mé|1;Yakassé-Attobrou|La Mé|2;Agboville|Agnéby-Tiassa|1;Tiassalé|Agnéby-Tiassa|1;Sikensi|Agnéby-Tiassa|1;Taabo|Agnéby-Tiassa|2;
Dabou|Grands-Ponts|1;Grand-Lahou|Grands-Ponts|1;Jacqueville|Grands-Ponts|1;Aboisso|Sud-Comoé|1;Grand-Bassam|Sud-Comoé|1;Adiaké|Sud-Comoé|1;
Tiapoum|Sud-Comoé|2;Dimbokro|N'Zi|2;Bocanda|N'Zi|2;Kouassi-Kouassikro|N'Zi|3;Bongouanou|Moronou|2;Arrah|Moronou|2;M'Batto|Moronou|2;Daoukro|Iffou|2;
Prikro|Iffou|3;M'Bahiakro|Iffou|3;Toumodi|Bélier|2;Tiébissou|Bélier|2;Didiévi|Bélier|2;Sakassou|Gbêkê|3;Béoumi|Gbêkê|3;Botro|Gbêkê|3;
Katiola|Hambol|3;Dabakala|Hambol|4;Niakaramandougou|Hambol|4;Korhogo|Poro|4;Sinématiali|Poro|4;Dikodougou|Poro|4;M'Bengué|Poro|5;
Ferkessédougou|Tchologo|4;Ouangolodougou|Tchologo|5;Kong|Tchologo|5;Boundiali|Bagoué|5;Tengréla|Bagoué|6;Kouto|Bagoué|5;Odienné|Kabadougou|6;
Madinani|Kabadougou|6;Minignan|Folon|6;Séguéla|Worodougou|4;Kani|Worodougou|5;Mankono|Béré|4;Dianra|Béré|5;Kounahiri|Béré|4;
Bouaflé|Marahoué|2;Sinfra|Marahoué|3;Zuénoula|Marahoué|3;Issia|Haut-Sassandra|3;Vavoua|Haut-Sassandra|3;Zoukougbeu|Haut-Sassandra|3;
Gagnoa|Gôh|2;Oumé|Gôh|2;Divo|Lôh-Djiboua|2;Lakota|Lôh-Djiboua|2;Guitry|Lôh-Djiboua|2;Sassandra|Gbôklé|3;Fresco|Gbôklé|2;Soubré|Nawa|3;
Méagui|Nawa|3;Buyo|Nawa|4;Guéyo|Nawa|3;Tabou|San-Pédro|4;Man|Tonkpi|4;Danané|Tonkpi|5;Biankouma|Tonkpi|5;Zouan-Hounien|Tonkpi|5;Sipilou|Tonkpi|5;
Duékoué|Guémon|4;Bangolo|Guémon|4;Kouibly|Guémon|4;Guiglo|Cavally|4;Toulépleu|Cavally|5;Bloléquin|Cavally|5;Taï|Cavally|5;Touba|Bafing|5;Koro|Bafing|5;
Bondoukou|Gontougo|4;Tanda|Gontougo|3;Koun-Fao|Gontougo|3;Bouna|Bounkani|5;Nassian|Bounkani|5;Doropo|Bounkani|6;Téhini|Bounkani|6"""
PORT = {1: (900, 1500, 2600, 5200), 2: (1200, 2000, 3400, 6900), 3: (1500, 2600, 4300, 8600), 4: (1900, 3200, 5400, 10800), 5: (2400, 4000, 6800, 13500),
        6: (2900, 4900, 8200, 16400)}
TRANCHES = ["jusqu'à 5 kg", "plus de 5 à 15 kg", "plus de 15 à 30 kg", "plus de 30 à 60 kg"]
CARS = ["Akwaba Transport", "Étoile du Nord Cars", "Savane Express"]

GE = """Kits solares
SN-020|Kit solar SunNest 20|58.000|2,9|en tienda
SN-050|Kit solar SunNest 50|121.000|7,4|en tienda
SN-080TV|Kit solar SunNest 80 TV|268.000|16,8|en tienda
SP-BP307|Batería adicional SunNest 307 Wh|98.000|3,6|por encargo, 6 semanas
Frío
CB-090|Nevera CoolBox 90|395.000|38,0|en tienda
CB-160F|Congelador CoolBox 160F|520.000|58,0|solo Malabo
CB-AC1|Adaptador de red CoolBox, versión B|42.000|1,1|en tienda
CB-GK90|Goma de tapa CoolBox 90|10.500|0,5|en tienda
CB-FN1|Ventilador de la electrónica CoolBox|7.200|0,1|por encargo, 6 semanas
CB-SN1|Sensor de temperatura CoolBox|5.400|0,1|agotado hasta febrero de 2027
Ventiladores
BZ-12|Ventilador de mesa Breeza 12|21.500|1,9|en tienda
BZ-16S|Ventilador de pie Breeza 16S|35.000|5,2|en tienda
BZ-16R|Ventilador recargable Breeza 16R|54.000|6,1|en tienda
Teléfonos y accesorios
KL-1|Teléfono de teclas Kora Lite|17.000|0,2|en tienda
KA-5|Teléfono Kora A5|112.000|0,4|en tienda
AC-20C|Cargador 20 W USB-C|4.500|0,1|en tienda
AC-CA2|Cable USB-A a USB-C, 2 m|2.200|0,1|en tienda
AC-TG67|Cristal templado Kora A5|1.900|0,1|solo Malabo
AC-PB10|Batería externa 10.000 mAh|12.800|0,3|en tienda
Recambios
SP-LM03|Lámpara 3 W con cable 5 m|2.600|0,2|en tienda
SP-LM05|Lámpara 5 W con cable 5 m|3.200|0,2|en tienda
SP-FU2A|Fusible F2A, paquete de 5|600|0,1|en tienda
SP-RC24|Mando a distancia de televisor|3.500|0,1|en tienda
SP-CB10|Cable de panel 10 m, prolongación|6.000|1,0|solo Malabo
HV-PN330|Placa solar 330 W para HomeVolt|72.000|18,5|en tienda
SP-2|Protector contra rayos SP-2|16.500|0,4|por encargo, 6 semanas"""

MZ_FAQ = [
    ("Adesão", "Posso ter dois planos ao mesmo tempo?", "Sim, o segundo a partir do sexto mês do primeiro, se não teve mais de 20 dias bloqueados."),
    ("Adesão", "Quem vive noutro país pode pagar por mim?", "Pode, por transferência internacional para a carteira do titular. O código vai sempre para o número do contrato."),
    ("Adesão", "Um menor pode assinar?", "Não. O encarregado de educação assina e fica como titular."),
    ("Pagamentos", "Posso pagar à quinzena?", "Sim, qualquer valor a partir do mínimo serve. Não é preciso avisar."),
    ("Pagamentos", "Paguei a mais no fim do plano.", "O excesso volta para a carteira do último pagamento em 8 dias úteis. Valores abaixo de 10 MZN não voltam."),
    ("Pagamentos", "A operadora cobra taxa?", "A taxa é nossa em pagamentos de 100 MZN ou mais. Abaixo disso é do cliente."),
    ("Pagamentos", "Posso congelar o plano nas férias?", "Não. Só há paragem em caso de calamidade ou de roubo participado."),
    ("Códigos", "Quantas vezes posso errar o código?", "Cinco. Depois o teclado fica bloqueado 30 minutos; a luz continua."),
    ("Códigos", "O código serve noutro kit?", "Não, cada código serve uma só vez e só no aparelho do contrato."),
    ("Códigos", "Não tenho rede na minha aldeia.", "Outra pessoa pode receber o SMS e ditar o código. Para o escrever não é preciso rede."),
    ("Mudança", "Vou mudar de província. E agora?", "Avise no prazo de 15 dias. Se for para uma província onde o produto não se vende em prestações, o plano continua, mas a assistência faz-se na loja mais próxima."),
    ("Mudança", "Posso passar o plano para o meu irmão?", "Sim, na loja, com os dois documentos; a taxa é a da política de garantia. O aparelho não pode estar bloqueado nesse dia."),
    ("Mudança", "Posso trocar o SunNest 20 pelo 50 a meio?", "Sim, depois de 24 semanas pagas. Um terço do que pagou conta para o novo plano e o kit antigo é devolvido a funcionar."),
    ("Família", "O titular faleceu.", "A família pode continuar o plano em nome de outro adulto ou devolver o aparelho. Se já estava pago 80% do total, o resto é perdoado com a certidão de óbito."),
    ("Família", "Posso indicar um amigo?", "Sim. Depois de o amigo pagar 6 semanas, recebe 7 dias grátis, no máximo três vezes por ano."),
    ("Assistência", "O técnico vem a casa?", "Só para a CoolBox, em Maputo, Matola e Beira. A visita custa 600 MZN fora da garantia."),
    ("Assistência", "Emprestam um kit durante a reparação?", "Sim, se a reparação passar do prazo da garantia, enquanto houver kits de empréstimo na loja."),
    ("Dados", "Quem vê os meus dados?", "O pessoal da Tamarind e a operadora da carteira. Não vendemos números de telefone."),
]


def write_text(path, lines, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode(encoding))
    print(path.name, len(lines))


def line(cells, delimiter=","):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="").writerow(cells)
    return out.getvalue()


def days_table():
    amounts = list(range(5, 61)) + list(range(65, 256, 5))
    out = [line(["Days bought by a payment - plan sheet October to December 2026", "", "", "", ""]),
           line(["Code", "Plan", "Payment GHS", "Days", "Credit GHS"])]
    for code, name, weekly in PLANS:
        out.append(line([f"{name}: one day costs GHS {weekly / 7:.2f}", "", "", "", ""]))
        for amount in amounts:
            days = amount * 7 // weekly
            out.append(line([code, name, amount, days, f"{amount - days * weekly / 7:.2f}"]))
    out += [line([note, "", "", "", ""]) for note in (
        "The credit stays on the contract and is added to the next payment.",
        "Salary deduction and business accounts have their own statements.")]
    return out


def accessories():
    out = [line(["Accessories for phones of other brands", "", "", "", "", ""]), line(["October 2026, prices in GHS including VAT", "", "", "", "", ""]),
           line(["Item", "Brand", "Model", "Accessory", "Price GHS", "Where"])]
    for b, (brand, (prefix, first, last, shift)) in enumerate(BRANDS.items()):
        out.append(line([f"{brand} phones", "", "", "", "", ""]))
        for n in range(first, last):
            for a, (code, name, price) in enumerate(ACCESSORIES):
                if (n * 3 + a + b) % 17 == 0:
                    continue  # not every accessory exists for every model
                cost = price + (n * shift + a * 5) % 13 + (6 if n > 35 else 0)
                where = SHOPS[(n * 5 + a * 3 + b) % len(SHOPS)]
                out.append(line([f"{brand[:2]}{n:02d}-{code}", brand.title(), f"{prefix}{n}", name, cost, where]))
        if b % 2:
            out.append(line([f"{brand.title()} batteries are fitted by our staff only, GHS 15.", "", "", "", "", ""]))
    out.append(line(["Opened glass is not exchanged. Glass that breaks while we fit it is replaced free of charge.", "", "", "", "", ""]))
    return out


def pickup_points(towns):
    out = [line(["Town", "Region", "Point", "Where", "Open", "Keeps parcels"])]
    for n, (town, region, zone) in enumerate(t for t in towns if t[0] not in NO_POINT):
        for k in range(2 if int(zone) <= 1 else 1):
            kept = "7 days" if (n + k) % 9 else "7 days, fridge parcels not accepted"
            code = "PP-" + "".join(w[0] for w in region.split()) + f"-{n:03d}{'AB'[k]}"
            out.append(line([town, region, code, POINTS[(n * 3 + k * 2) % len(POINTS)], OPENING[(n * 2 + k) % len(OPENING)], kept]))
    return out


def port_ci(villes):
    out = [line(["Port dû par le destinataire - tarif indicatif des compagnies de cars", "", "", "", "", ""], ";"),
           line(["Octobre 2026. Départ d'Abidjan, gare d'Adjamé. Montants en XOF.", "", "", "", "", ""], ";"),
           line(["Ville", "Région", "Compagnie", "Poids", "Port XOF", "Délai"], ";")]
    region = None
    for n, (ville, de, classe) in enumerate(villes):
        if de != region:
            region = de
            out.append(line([f"RÉGION : {de}", "", "", "", "", ""], ";"))
        for c, company in enumerate(CARS):
            if (n + c) % 11 == 5:
                continue  # this company does not go there
            for b, base in enumerate(PORT[int(classe)]):
                port = base + ((n * 3 + c * 7 + b) % 6) * 50
                days = int(classe) // 2 + 1 + (c == 2)
                out.append(line([ville, de, company, TRANCHES[b], f"{port:,}".replace(",", " "), f"{days} jour{'s' if days > 1 else ''}"], ";"))
    out += [line([note, "", "", "", "", ""], ";") for note in (
        "Les compagnies ne prennent ni batterie CellPak ni colis de plus de 60 kg.", "Le colis est gardé 5 jours à la gare d'arrivée, puis 200 XOF par jour.",
        "Tarif donné à titre indicatif : le reçu de la compagnie fait foi.")]
    return out


def write(corpus, towns, rows):
    write_text(corpus / "prices/payg-days-table-2026-q4.csv", days_table())
    write_text(corpus / "prices/accessories-other-brands-2026-10.csv", accessories())
    write_text(corpus / "stores/pickup-points-ghana-2026-10.csv", pickup_points(towns))
    write_text(corpus / "fr/port-compagnies-de-cars-ci-2026.csv", port_ci(rows(VILLES)), "cp1252")
    ge = [line(["Lista de precios - Guinea Ecuatorial - desde el 1 de octubre de 2026", "", "", "", ""], ";"),
          line(["Código", "Artículo", "Precio XAF", "Peso kg", "Disponibilidad"], ";")]
    ge += [line(r.split("|") + [""] * (4 - r.count("|")), ";") for r in GE.splitlines()]
    ge.append(line(["Precios con impuestos incluidos. Salvo error de imprenta.", "", "", "", ""], ";"))
    write_text(corpus / "es/lista-de-precios-ge-2026-10.csv", ge, "cp1252")
    mz = [line(["Tema", "Pergunta", "Resposta"], ";")] + [line(r, ";") for r in MZ_FAQ]
    write_text(corpus / "pt/perguntas-prestacoes-mz.csv", mz, "cp1252")
