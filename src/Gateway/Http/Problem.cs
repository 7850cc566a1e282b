using System.Text;
using Granary.Abstractions.Clients;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

namespace Granary.Gateway.Http;

/// <summary>A request that is refused, as RFC 9457 tells it; thrown where it is found and written by <see cref="ProblemWriter"/>.</summary>
/// <param name="status">HTTP's status.</param>
/// <param name="detail">What was wrong with this request: field, value and limit.</param>
internal sealed class Problem(int status, string detail) : Exception(detail)
{
    public int Status { get; } = status;

    /// <summary>Kafka's code for it, where there is one.</summary>
    public ErrorCode Error { get; init; } = ErrorCode.None;

    /// <summary>The field of the body, or the name of the query's parameter or header.</summary>
    public string? Field { get; init; }

    public object? Limit { get; init; }

    /// <summary>More members of the problem.</summary>
    public IReadOnlyDictionary<string, object?> More { get; init; } = new Dictionary<string, object?>();

    public static Problem BadRequest(string field, string detail, object? limit = null) =>
        new(StatusCodes.Status400BadRequest, detail) { Field = field, Limit = limit, Error = ErrorCode.InvalidRequest };

    public static Problem UnknownTopic(string topic) =>
        new(StatusCodes.Status404NotFound, $"There is no topic '{topic}'.") { Error = ErrorCode.UnknownTopicOrPartition };

    /// <summary>What a log, a topic or a group refused.</summary>
    public static Problem Of(ErrorCode error, string? detail) => new(StatusOf(error), detail ?? $"{ProblemWriter.NameOf(error)}.") { Error = error };

    public static Problem Of(LogException refusal) => Of(refusal.Error, refusal.Message);

    private static int StatusOf(ErrorCode error) => error switch
    {
        ErrorCode.UnknownTopicOrPartition or ErrorCode.UnknownTopicId or ErrorCode.GroupIdNotFound => StatusCodes.Status404NotFound,
        ErrorCode.TopicAlreadyExists or ErrorCode.NonEmptyGroup or ErrorCode.GroupSubscribedToTopic => StatusCodes.Status409Conflict,
        ErrorCode.MessageTooLarge or ErrorCode.RecordListTooLarge => StatusCodes.Status413PayloadTooLarge,
        ErrorCode.OffsetOutOfRange => StatusCodes.Status416RangeNotSatisfiable,
        ErrorCode.InvalidTopicException or ErrorCode.InvalidPartitions or ErrorCode.InvalidConfig or ErrorCode.InvalidRequest
            or ErrorCode.InvalidReplicationFactor or ErrorCode.InvalidTimestamp or ErrorCode.InvalidGroupId or ErrorCode.InvalidRecord => StatusCodes.Status400BadRequest,
        ErrorCode.PolicyViolation => StatusCodes.Status403Forbidden,
        ErrorCode.CorruptMessage or ErrorCode.UnknownServerError => StatusCodes.Status500InternalServerError,
        ErrorCode.RequestTimedOut => StatusCodes.Status504GatewayTimeout,
        _ => StatusCodes.Status503ServiceUnavailable,
    };
}

/// <summary>Writes refusals as <c>application/problem+json</c>, and says which kind they are in the words of HTTP and of Kafka.</summary>
internal static class ProblemWriter
{
    /// <summary>Kafka's name for a code: UNKNOWN_TOPIC_OR_PARTITION.</summary>
    public static string NameOf(ErrorCode error)
    {
        var name = error.ToString();
        var words = new StringBuilder();
        foreach (var letter in name)
        {
            if (char.IsUpper(letter) && words.Length > 0)
                words.Append('_');
            words.Append(char.ToUpperInvariant(letter));
        }

        return words.ToString();
    }

    public static Task WriteAsync(HttpContext context, Problem problem)
    {
        context.Response.StatusCode = problem.Status;

        // What is refused so heals by itself, and mostly at once.
        if (problem.Status == StatusCodes.Status503ServiceUnavailable)
            context.Response.Headers.RetryAfter = "1";
        return context.Response.WriteAsJsonAsync(DetailsOf(context, problem), options: null, contentType: "application/problem+json");
    }

    public static ProblemDetails DetailsOf(HttpContext context, Problem problem)
    {
        var details = new ProblemDetails
        {
            Status = problem.Status,
            Title = Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(problem.Status),
            Detail = problem.Message,
            Instance = context.Request.Path,
        };
        if (problem.Error != ErrorCode.None)
            details.Extensions["kafkaError"] = NameOf(problem.Error);
        if (problem.Field is not null)
            details.Extensions["field"] = problem.Field;
        if (problem.Limit is not null)
            details.Extensions["limit"] = problem.Limit;
        foreach (var (name, value) in problem.More)
            details.Extensions[name] = value;
        return details;
    }
}
