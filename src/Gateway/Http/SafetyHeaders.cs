using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Granary.Gateway.Http;

/// <summary>
/// What a server that people open in a browser has to say of itself, and whom it does not listen to: a page of another origin may not change anything
/// here in its visitor's name, and no page may call it by a name that is not its own. Programs send neither Origin nor Sec-Fetch-Site.
/// </summary>
internal sealed class SafetyHeaders(RequestDelegate next, IOptions<HttpOptions> options)
{
    private const string OnlyOwn = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>The reference page writes its own styles and starts its script in the page.</summary>
    private const string Reference = "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        + "font-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

    private readonly string[] _allowedHosts = options.Value.AllowedHosts.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    public Task InvokeAsync(HttpContext context)
    {
        // Told at the last moment: a refusal begins its answer anew.
        context.Response.OnStarting(static state => Tell((HttpContext)state), context);
        var request = context.Request;
        if (!IsCalledRightly(request.Host.Host))
        {
            return ProblemWriter.WriteAsync(context, new Problem(StatusCodes.Status421MisdirectedRequest, $"This server is not called '{request.Host.Host}'. It answers to addresses, to localhost, and to the names in Granary__Http__AllowedHosts.")
            {
                Field = "Host",
            });
        }

        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method) && IsForeign(request))
            return ProblemWriter.WriteAsync(context, new Problem(StatusCodes.Status403Forbidden, "A page of another origin may not change anything here.") { Field = "Origin" });
        return next(context);
    }

    private static Task Tell(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers["X-Content-Type-Options"] = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["X-Frame-Options"] = "DENY";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        if (headers.ContentSecurityPolicy.Count == 0)
            headers.ContentSecurityPolicy = context.Request.Path.StartsWithSegments("/reference") ? Reference : OnlyOwn;
        return Task.CompletedTask;
    }

    /// <summary>
    /// A page can reach this server in its visitor's name by a name of its own that leads here, whatever is listened on; by an address it cannot. What is no
    /// browser may leave the name out.
    /// </summary>
    private bool IsCalledRightly(string host) =>
        host.Length == 0
        || IPAddress.TryParse(host.Trim('[', ']'), out _)
        || host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || _allowedHosts.Any(allowed => allowed == "*" || allowed.Equals(host, StringComparison.OrdinalIgnoreCase));

    private static bool IsForeign(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"] is [{ } site] && site is not ("same-origin" or "none"))
            return true;
        if (request.Headers.Origin is not [{ } origin])
            return request.Headers.Origin.Count > 1;
        return !Uri.TryCreate(origin, UriKind.Absolute, out var page) || !string.Equals(page.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase);
    }
}
