;;; pneu.el --- send mail by pneu  -*- lexical-binding: t -*-

;; Copyright (c) 2026 The pneu authors
;; SPDX-License-Identifier: ISC

;;; Commentary:

;; For ~/.emacs.d/init.el: mail-mode, message-mode, and what is built on them, Gnus among them.

;;; Code:

(require 'sendmail)

(setq sendmail-program "/usr/local/bin/pneu"
      send-mail-function #'sendmail-send-it
      message-send-mail-function #'message-send-mail-with-sendmail
      ;; message-mode always names a sender of the envelope; let it be that of the From field, which is
      ;; what pneu looks at when none is named.
      message-sendmail-envelope-from 'header
      ;; Wait for the end, and show what pneu says. Otherwise nobody learns of a failure.
      mail-interactive t
      message-interactive t
      ;; An account of pneu's configuration:
      ;; message-sendmail-extra-arguments '("-a" "work")
      )

(provide 'pneu)

;;; pneu.el ends here
