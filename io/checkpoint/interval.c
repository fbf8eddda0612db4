/*
 * interval.c - how long to compute between two checkpoints
 *
 * Daly's higher-order estimate (2006, doi:10.1016/j.future.2004.11.016): for a
 * cost d and a mean time between failures M,
 *
 *   sqrt(2 d M) (1 + sqrt(d / 2M) / 3 + (d / 2M) / 9) - d     where d < 2 M
 *   M                                                         otherwise
 */
#include <repartir/checkpoint.h>

#include <math.h>

double rpt_checkpoint_interval(double cost_s, double mtbf_s)
{
    double share = cost_s / (2 * mtbf_s);

    if (!(cost_s > 0) || !(mtbf_s > 0) || !isfinite(cost_s) ||
        !isfinite(mtbf_s)) {
        return 0;
    }
    if (share >= 1) {
        return mtbf_s;
    }
    return sqrt(2 * cost_s) * sqrt(mtbf_s) * (1 + sqrt(share) / 3 + share / 9) -
           cost_s;
}
