#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# demo.sh - trained in Python, answered without it: every example, start to end.
#
# usage: examples/demo.sh [TENON]      TENON: the command, default build/tenon
#
# Exit: 0 every model gives Python's answers, 1 some do not, 2 wrong usage.
set -u
LC_ALL=C
export LC_ALL

tenon=${1:-build/tenon}
case $tenon in
*/*) ;;
*) tenon=$(command -v "$tenon" || echo "$tenon") ;;
esac
if [ ! -x "$tenon" ]; then
    echo "demo.sh: no command '$tenon'; build it first (make)" >&2
    exit 2
fi
case $tenon in
/*) ;;
*) tenon=$PWD/$tenon ;;
esac
cd "$(dirname "$0")" || exit 2
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
bad=0

# JSON with one object on a line, so that sed can find a key in it.
objects() {
    tr -d '\n' | tr '{' '\n'
}

# value KEY: the number or the text that stands behind KEY.
value() {
    sed -n "s/.*\"$1\": *\"\{0,1\}\([^],}\"]*\).*/\1/p" | head -n 1
}

# run EXAMPLE NAME=FILE...: leaves the answer in $scratch/run.
run() {
    model=$1/model.onnx
    shift
    if ! "$tenon" run "$model" "$@" --json >"$scratch/json" \
        2>"$scratch/err"; then
        cat "$scratch/err"
        bad=1
        : >"$scratch/run"
        return
    fi
    objects <"$scratch/json" >"$scratch/run"
}

# of OUTPUT KEY: KEY of that output in the last run.
of() {
    grep "\"name\": *\"$1\"" "$scratch/run" | value "$2"
}

# first OUTPUT: the first value of that output in the last run.
first() {
    grep "\"name\": *\"$1\"" "$scratch/run" |
        sed -n 's/.*"values": *\[ *"\{0,1\}\([^],"]*\).*/\1/p'
}

# surest: the largest probability in the dictionary of the last run (ZipMap).
surest() {
    sed -n 's/.*"float32", *"values": *\[\([^]]*\).*/\1/p' "$scratch/run" |
        tr ',' '\n' | awk '$1 > m { m = $1 } END { print m + 0 }'
}

# label EXAMPLE INDEX: what the class is called.
label() {
    sed -n "$(($2 + 1))p" "$1/labels.txt"
}

percent() {
    awk -v p="$1" 'BEGIN { printf "%.1f %%", 100 * p }'
}

# verify EXAMPLE FRAMEWORK: the same answers as Python?
verify() {
    for cases in "$1/cases" "$1/cases.npz"; do
        [ -e "$cases" ] || continue
        "$tenon" verify "$1/model.onnx" "$cases" --json >"$scratch/json" \
            2>"$scratch/err"
        code=$?
        objects <"$scratch/json" >"$scratch/verify"
        worst=$(sed -n 's/.*"max_abs": *\([-+.0-9eE]*\).*/\1/p' \
            "$scratch/verify" | awk '$1 > m { m = $1 } END { print m + 0 }')
        if [ $code -eq 0 ]; then
            printf '  %-28s %s of %s cases agree with %s' "$cases" \
                "$(value passed <"$scratch/verify")" \
                "$(value passed <"$scratch/verify")" "$2"
            printf ' (largest difference %.1e)\n' "$worst"
        else
            echo "  $cases: NOT what $2 answered"
            "$tenon" verify "$1/model.onnx" "$cases" 2>&1 | sed 's/^/    /'
            bad=1
        fi
    done
}

title() {
    printf '\n== %s\n' "$*"
}

# digits EXAMPLE SAMPLE...: draws them side by side over what the model says.
digits() {
    example=$1
    shift
    pictures=
    says=
    for sample in "$@"; do
        sample=$example/samples/$sample
        run "$example" "image=$sample.npy"
        class=$(of probability argmax)
        says="$says$(printf '  %-16s' "$(label "$example" "${class:-99}"),  $(
            percent "$(of probability max)")")"
        pictures="$pictures $sample.txt"
    done
    # A picture is 16 characters wide.
    # shellcheck disable=SC2086
    paste -d '\t' $pictures | awk -F '\t' '{
        for (i = 1; i <= NF; i++)
            printf "  %-16s", $i
        print "" }' | sed 's/ *$//'
    echo "$says"
}

# speed EXAMPLE [OPTION]...: one line of the table.
speed() {
    name=$1
    shift
    if ! "$tenon" bench "$name/model.onnx" "$@" --threads 1 --seconds 0.3 \
        --json >"$scratch/json" 2>"$scratch/err"; then
        cat "$scratch/err"
        bad=1
        return
    fi
    objects <"$scratch/json" | tr -d '\n' >"$scratch/bench"
    size=$(wc -c <"$name/model.onnx")
    awk -v name="$name" -v size="$size" \
        -v load="$(value load_ms <"$scratch/bench")" \
        -v p50="$(value p50_ms <"$scratch/bench")" \
        -v p90="$(value p90_ms <"$scratch/bench")" \
        -v rate="$(value per_second <"$scratch/bench")" \
        -v rss="$(value peak_rss_bytes <"$scratch/bench")" 'BEGIN {
        printf "  %-18s %7.0f %9.2f %10.1f %10.1f %11.0f %8.1f\n", name,
            size / 1024, load, 1000 * p50, 1000 * p90, rate, rss / 1048576 }'
}

"$tenon" version

title "Does the exported model say what Python said?"
verify digits-pytorch PyTorch
verify digits-keras Keras
verify wine-sklearn scikit-learn
verify penguins-sklearn scikit-learn
verify cancer-xgboost XGBoost

title "Handwritten digits, by the convolutional network from PyTorch"
digits digits-pytorch digit_0 digit_1 digit_2 digit_3 digit_4
echo
digits digits-pytorch digit_5 digit_6 digit_7 digit_8 digit_9

title "More digits, by the CNN with LSTM from Keras; least sure of the last"
digits digits-keras digit_2 digit_3 digit_5 digit_8 unsure

title "Wines, by the voting trees from scikit-learn"
for i in 1 2 3; do
    sample=wine-sklearn/samples/wine_cultivar_$i
    run wine-sklearn "measurements=$sample.npy"
    printf '  alcohol %s %%, colour %s, proline %s  ->  %s (%s)\n' \
        "$(awk '$1 == "alcohol" { print $2 }' $sample.txt)" \
        "$(awk '/^color intensity/ { print $3 }' $sample.txt)" \
        "$(awk '$1 == "proline" { print $2 }' $sample.txt)" \
        "$(first output_label)" "$(percent "$(surest)")"
done

title "Penguins, from text and numbers, by the network from scikit-learn"
for bird in adelie chinstrap gentoo; do
    note=penguins-sklearn/samples/$bird
    set --
    for column in island sex bill_length_mm bill_depth_mm flipper_length_mm \
        body_mass_g; do
        set -- "$@" "$column=${note}_$column.npy"
    done
    run penguins-sklearn "$@"
    printf '  %s, %s, bill %s mm, %s g  ->  %s (%s)\n' \
        "$(awk '$1 == "island" { print $2 }' $note.txt)" \
        "$(awk '$1 == "sex" { print $2 }' $note.txt)" \
        "$(awk '$1 == "bill_length_mm" { print $2 }' $note.txt)" \
        "$(awk '$1 == "body_mass_g" { print $2 }' $note.txt)" \
        "$(first label)" "$(percent "$(of probabilities max)")"
done

title "Cell nuclei with gaps in the measurements, by the trees from XGBoost"
for kind in benign malignant; do
    sample=cancer-xgboost/samples/$kind
    run cancer-xgboost "measurements=$sample.npy"
    class=$(of probabilities argmax)
    printf '  %s measurements missing, pathologist: %s  ->  %s (%s)\n' \
        "$(grep -c missing $sample.txt)" "$kind" \
        "$(label cancer-xgboost "${class:-99}")" \
        "$(percent "$(of probabilities max)")"
done

title "Latency of one answer on one thread, and memory of the whole process"
printf '  %-18s %7s %9s %10s %10s %11s %8s\n' model 'KiB' 'load ms' \
    'median us' '90 % us' 'per second' 'MiB'
speed digits-pytorch
speed digits-keras
speed wine-sklearn
speed cancer-xgboost

echo
if [ $bad -ne 0 ]; then
    echo "Something is not as it should be: see above."
    exit 1
fi
echo "Every model gave Python's answers, and no Python was running."
