2
cultivar 3Boutput_label