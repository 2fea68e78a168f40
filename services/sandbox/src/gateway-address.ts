/** A path of the gateway, whether or not its address was given with a slash at its end. */
export function atGateway(gatewayUrl: string, path: `/${string}`): string {
  return `${gatewayUrl.replace(/\/+$/, '')}${path}`
}
