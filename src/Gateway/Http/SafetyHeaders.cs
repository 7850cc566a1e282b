using Microsoft.AspNetCore.Http;

namespace Granary.Gateway.Http;

/// <summary>
/// What a server that people open in a browser has to say of itself, and whom it does not listen to: a page of another origin may not change anything
/// here in its visitor's name. Programs send neither Origin nor Sec-Fetch-Site.
/// </summary>
internal sealed class SafetyHeaders(RequestDelegate next)
{
    private const string OnlyOwn = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>The reference page writes its own styles and starts its script in the page.</summary>
    private const string Reference = "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        + "font-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

    public Task InvokeAsync(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers["X-Content-Type-Options"] = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["X-Frame-Options"] = "DENY";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.ContentSecurityPolicy = context.Request.Path.StartsWithSegments("/reference") ? Reference : OnlyOwn;
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method) && IsForeign(context.Request))
            return ProblemWriter.WriteAsync(context, new Problem(StatusCodes.Status403Forbidden, "A page of another origin may not change anything here.") { Field = "Origin" });
        return next(context);
    }

    private static bool IsForeign(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"] is [{ } site] && site is not ("same-origin" or "none"))
            return true;
        if (request.Headers.Origin is not [{ } origin])
            return false;
        return !Uri.TryCreate(origin, UriKind.Absolute, out var page) || !string.Equals(page.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase);
    }
}
