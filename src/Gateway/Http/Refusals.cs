using Granary.Abstractions.Clients;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace Granary.Gateway.Http;

/// <summary>The one place where what goes wrong in an endpoint becomes an answer; and where answers without a body (405, 404, 415) get one.</summary>
internal sealed partial class Refusals(RequestDelegate next, ILogger<Refusals> log)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentLength: null, ContentType: null } refused)
                await ProblemWriter.WriteAsync(context, new Problem(refused.StatusCode, ReasonOf(context)));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody waits for the answer any more.
        }
        catch (Exception failure) when (!context.Response.HasStarted)
        {
            context.Response.Clear();
            await ProblemWriter.WriteAsync(context, ToProblem(failure));
        }
    }

    private Problem ToProblem(Exception failure)
    {
        switch (failure)
        {
            case Problem problem:
                return problem;
            case LogException refusal:
                return Problem.Of(refusal);
            case BadHttpRequestException bad:
                return new Problem(bad.StatusCode, bad.Message);
            case TimeoutException or OrleansException:
                return Problem.Of(ErrorCode.CoordinatorNotAvailable, $"The cluster does not answer now: try again. ({failure.Message})");
            default:
                Failed(log, failure);
                return Problem.Of(ErrorCode.UnknownServerError, "The request failed for a reason of the server's own; its log tells.");
        }
    }

    private static string ReasonOf(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => $"There is nothing at {context.Request.Path}.",
        StatusCodes.Status405MethodNotAllowed => $"{context.Request.Method} is not something to do with {context.Request.Path}.",
        StatusCodes.Status415UnsupportedMediaType => $"A body of '{context.Request.ContentType}' is not understood here.",
        var status => Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status) + ".",
    };

    [LoggerMessage(1, LogLevel.Error, "An HTTP request failed")]
    private static partial void Failed(ILogger log, Exception failure);
}
