/* Universal adversarial perturbations of a study, one a class and bound: what is done is kept in DIR/runs/<model>-uap-<eps>,
 * a line of figures and a picture a class, and gone on with. */
#ifndef REPRODUCE_UAP_H
#define REPRODUCE_UAP_H

#include "paper/reproduce.h"

/* Plans what is left for a bound (of 255). */
void uap_plan(reproduction *r, int m, double eps);

/* Crafts what is left, and gives the ASR of every class (of all images but the class's own), which the paper takes for the
 * power of a UAP; `rates` is class_count of the model, and `mean` theirs. */
iscp_status uap_rates(double *rates, double *mean, reproduction *r, int m, double eps);

/* Picture of a class's perturbation: memory of the caller's. */
char *uap_picture(const reproduction *r, int m, double eps, int32_t y);

#endif
