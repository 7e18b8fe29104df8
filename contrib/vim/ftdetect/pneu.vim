" Copyright (c) 2026 The pneu authors
" SPDX-License-Identifier: ISC

autocmd BufNewFile,BufRead */pneu/config,*/pneu/submit/config,pneu.conf,*.pneu setfiletype pneu
