"""Prints the letter table of words.rs: how surprising each letter is after each other letter.

    python3 bigrams.py WORDLIST...

A word list has one word a line. The table in words.rs was made from the file `american-english` of Debian's
wamerican 2020.12.07 (SCOWL, whose licence allows any use). Row a, column b: bits of surprise, -log2 P(b after a)
rounded, at most 9; 26 rows of 26 digits.
"""

import math
import sys

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def main():
    counts = {a: {b: 0.5 for b in LETTERS} for a in LETTERS}
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8") as words:
            for word in words:
                word = word.strip().lower()
                if len(word) >= 3 and all(letter in LETTERS for letter in word):
                    for a, b in zip(word, word[1:]):
                        counts[a][b] += 1
    for a in LETTERS:
        total = sum(counts[a].values())
        bits = (min(9, round(-math.log2(counts[a][b] / total))) for b in LETTERS)
        print('    b"' + "".join(str(bit) for bit in bits) + '",')


main()
