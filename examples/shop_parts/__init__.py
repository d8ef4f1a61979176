"""What the three shops share: products, money as people read it, pages, the account, tables."""
