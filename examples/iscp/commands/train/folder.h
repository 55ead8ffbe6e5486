/* What iscp train leaves in its folder, and how it is taken away (folder.c). */
#ifndef TRAIN_FOLDER_H
#define TRAIN_FOLDER_H

/* Removes the training in `folder`: its state, the file `state`, then its weights, which would be taken for those of the next.
 * `from`, NULL or the file that the next begins with, must not be among them. */
int training_remove(const char *folder, const char *state, const char *from);

#endif
