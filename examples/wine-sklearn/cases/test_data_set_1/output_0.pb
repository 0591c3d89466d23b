2
cultivar 32
cultivar 12
cultivar 32
cultivar 32
cultivar 32
cultivar 22
cultivar 32
cultivar 3Boutput_label