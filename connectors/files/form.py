"""What connecting a file account takes."""

from connectors.forms import AccountForm

FORM = AccountForm("file", "文件导入", "从表格文件导入留言，不连接任何平台，也不能通过它回复或发布。", ())
