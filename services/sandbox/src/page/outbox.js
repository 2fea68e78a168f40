// Makes each e-mail as high as it is, so that the page scrolls and not the mail in it.
for (const frame of document.querySelectorAll('iframe')) {
  const fit = () => {
    const root = frame.contentDocument?.documentElement
    // Not scrollHeight: that is never less than the frame, so it could only grow.
    if (root) frame.style.height = `${Math.ceil(root.getBoundingClientRect().height)}px`
  }
  const watch = () => {
    fit()
    const body = frame.contentDocument?.body
    if (body) new ResizeObserver(fit).observe(body)
  }
  frame.addEventListener('load', watch)
  if (frame.contentDocument?.readyState === 'complete') watch()
}
document.querySelector('.people [aria-current]')?.scrollIntoView({ block: 'nearest' })
